package io.xfuser.models.internal.weights;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.failure.ModelException;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Program;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/**
 * Numbers of few bits times scales, multiplied in fp32.
 *
 * @param values of any shape (N, …)
 * @param scale one for all, for each row (N) or (N, 1), or for each of n × k blocks of a matrix (n,
 *     k)
 * @param blocks rows and columns that a scale is for; 0 rows where there is one for all
 */
record Scaled(Stored values, Stored scale, Block blocks) implements Stored {
  private static final Program PROGRAM = Program.load(Scaled.class, "mapping.py", "widening.py");

  /** How many rows and columns have the same scale. */
  record Block(long rows, long columns) {}

  /**
   * {@code values} with {@code scale}.
   *
   * @throws ModelException naming {@code layer}, if there are not as many scales as can be
   */
  static Stored of(String layer, Stored values, Stored scale) {
    long[] shape = values.shape();
    long[] scales = scale.shape();
    long count = Arrays.stream(scales).reduce(1, (a, b) -> a * b);
    long n = scales.length == 0 ? 1 : scales[0];
    if (count == 1) {
      return new Scaled(values, scale, new Block(0, 0));
    }
    if (shape.length > 0 && n == shape[0] && count == n) {
      return new Scaled(values, scale, new Block(1, 0));
    }
    boolean grid = shape.length == 2 && scales.length == 2 && count > 0;
    if (grid && shape[0] % n == 0 && shape[1] % scales[1] == 0) {
      return new Scaled(values, scale, new Block(shape[0] / n, shape[1] / scales[1]));
    }
    throw new ModelException(
        "%s: the weight of \"%s\" has the shape %s, which scales of the shape %s do not fit"
            .formatted(values.file(), layer, Arrays.toString(shape), Arrays.toString(scales)));
  }

  @Override
  public Path file() {
    return values.file();
  }

  @Override
  public String typeName() {
    return values.typeName();
  }

  @Override
  public long[] shape() {
    return values.shape();
  }

  @Override
  public boolean floating() {
    return true;
  }

  @Override
  public boolean readable() {
    return true;
  }

  @Override
  public ElementType type() {
    return ElementType.FLOAT32;
  }

  @Override
  public NDArray read(NDManager owner, Window window, Handing how) {
    Handing exact = how.as(ElementType.FLOAT32);
    Cut across = window.across();
    long row = window.rows() == null ? 0 : window.rows().from();
    long column = across == null ? 0 : across.from();
    try (NDManager scope = owner.newSubManager()) {
      return PROGRAM.call(
          owner,
          "scaled",
          values.read(scope, window, exact),
          scale.read(scope, Window.WHOLE, exact),
          new long[] {row, blocks.rows(), column, blocks.columns()},
          how.typeOf(type()).scalarType());
    }
  }

  @Override
  public List<Extent> extents() {
    return Stream.of(values, scale).flatMap(stored -> stored.extents().stream()).toList();
  }
}
