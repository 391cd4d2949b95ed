package io.xfuser.models.internal.lora;

import io.xfuser.failure.ModelException;
import io.xfuser.models.internal.lora.LoraTargets.Rows;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalLong;
import java.util.stream.Stream;

/**
 * Refuses what does not fit: every message names the file, the key and both shapes.
 *
 * @param file the LoRA
 * @param targets what it is to change
 */
record LoraShapes(LoraFile file, LoraTargets targets) {
  /**
   * The layer that a variant of a model has with more inputs, after those of the model itself, as
   * Flux Fill has it: a LoRA of the model changes the first ones, as in diffusers.
   */
  static final String WIDENED = "x_embedder";

  /** Refuses a module that does not fit {@code rows}, or lacks a part. */
  void check(LoraModule module, List<Rows> rows) {
    if (module.has(LoraPart.NOT_SUPPORTED)) {
      throw wrong(module.key(LoraPart.NOT_SUPPORTED), "is of a kind that is not supported");
    }
    long height = rows.stream().mapToLong(Rows::count).sum();
    long[] whole = targets.shape(rows.get(0).module()).clone();
    whole[0] = height;
    if (module.isLowRank()) {
      product(module, LoraPart.UP, LoraPart.DOWN, rows, whole);
    } else if (module.isHadamard()) {
      product(module, LoraPart.HADAMARD_1_UP, LoraPart.HADAMARD_1_DOWN, rows, whole);
      product(module, LoraPart.HADAMARD_2_UP, LoraPart.HADAMARD_2_DOWN, rows, whole);
    } else if (module.isKronecker()) {
      kronecker(module, rows, whole);
    }
    if (module.has(LoraPart.DIFF)) {
      require(module.key(LoraPart.DIFF), rows, whole, file.shape(module.key(LoraPart.DIFF)));
    }
    for (LoraPart bias : List.of(LoraPart.UP_BIAS, LoraPart.DIFF_BIAS)) {
      if (module.has(bias)) {
        bias(module.key(bias), rows, height);
      }
    }
    magnitude(module, rows, whole);
    complete(module);
  }

  private void complete(LoraModule module) {
    boolean changes =
        module.changesWeight() || module.has(LoraPart.DIFF) || module.has(LoraPart.DIFF_BIAS);
    if (!changes) {
      throw wrong(module.example(), "has no matrices beside it");
    }
  }

  private void product(
      LoraModule module, LoraPart up, LoraPart down, List<Rows> rows, long[] whole) {
    long[] b = shape(module, up, down);
    long[] a = shape(module, down, up);
    if (a.length < 2
        || b.length < 2
        || width(b) != a[0]
        || b[0] != whole[0]
        || (rows.get(0).module().equals(WIDENED)
            ? width(a) > width(whole)
            : width(a) != width(whole))) {
      throw wrong(
          module.key(down),
          "has the shape %s and \"%s\" %s, but %s"
              .formatted(text(a), module.key(up), text(b), needed(rows, whole)));
    }
  }

  private long[] shape(LoraModule module, LoraPart part, LoraPart other) {
    if (!module.has(part)) {
      throw wrong(
          module.has(other) ? module.key(other) : module.example(),
          "has no other matrix beside it");
    }
    return file.shape(module.key(part));
  }

  private void kronecker(LoraModule module, List<Rows> rows, long[] whole) {
    long[] one =
        factor(module, LoraPart.KRONECKER_1, LoraPart.KRONECKER_1_UP, LoraPart.KRONECKER_1_DOWN);
    long[] two =
        factor(module, LoraPart.KRONECKER_2, LoraPart.KRONECKER_2_UP, LoraPart.KRONECKER_2_DOWN);
    boolean fits = whole.length == 2 && one[0] * two[0] == whole[0] && one[1] * two[1] == whole[1];
    if (!fits) {
      throw wrong(
          module.example(),
          "is of factors %s and %s, but %s".formatted(text(one), text(two), needed(rows, whole)));
    }
  }

  /** The shape of a factor, given or a product. */
  private long[] factor(LoraModule module, LoraPart given, LoraPart up, LoraPart down) {
    if (module.has(given)) {
      return matrix(module.key(given));
    }
    long[] b = matrix(key(module, up, down));
    long[] a = matrix(key(module, down, up));
    if (b[1] != a[0]) {
      throw wrong(
          module.key(up),
          "has the shape %s, but \"%s\" %s".formatted(text(b), module.key(down), text(a)));
    }
    return new long[] {b[0], a[1]};
  }

  private String key(LoraModule module, LoraPart part, LoraPart other) {
    shape(module, part, other);
    return module.key(part);
  }

  private long[] matrix(String key) {
    long[] shape = file.shape(key);
    if (shape.length != 2) {
      throw wrong(key, "has the shape " + text(shape) + ", but is a matrix");
    }
    return shape;
  }

  private void magnitude(LoraModule module, List<Rows> rows, long[] whole) {
    for (LoraPart part : List.of(LoraPart.MAGNITUDE, LoraPart.DORA_SCALE)) {
      if (module.has(part)) {
        long[] shape = file.shape(module.key(part));
        boolean ofRows = shape.length > 0 && shape[0] == whole[0] && width(shape) == 1;
        boolean ofColumns =
            shape.length > 1 && shape[0] == 1 && width(shape) == width(whole) && rows.size() == 1;
        if (!ofRows && !(ofColumns && part == LoraPart.DORA_SCALE)) {
          throw wrong(
              module.key(part), "has the shape " + text(shape) + ", but " + needed(rows, whole));
        }
      }
    }
  }

  private void bias(String key, List<Rows> rows, long height) {
    for (Rows some : rows) {
      if (!targets.shapes().containsKey(some.module() + ".bias")) {
        throw wrong(
            key, "changes a bias, but " + targets.title() + "'s " + some.module() + " has none");
      }
    }
    require(key, rows, new long[] {height}, file.shape(key));
  }

  private void require(String key, List<Rows> rows, long[] whole, long[] found) {
    if (!Arrays.equals(whole, found)) {
      throw wrong(key, "has the shape " + text(found) + ", but " + needed(rows, whole));
    }
  }

  private String needed(List<Rows> rows, long[] whole) {
    List<String> modules = rows.stream().map(Rows::module).distinct().toList();
    return "%s's %s %s %s"
        .formatted(
            targets.title(),
            String.join(", ", modules),
            modules.size() == 1 ? "has" : "have",
            text(whole));
  }

  private ModelException wrong(String key, String what) {
    String target = file.target();
    return new ModelException(
        "%s: \"%s\" %s%s"
            .formatted(
                file.path(),
                key,
                what,
                target.equals(LoraKind.UNKNOWN) ? "" : " (it is a LoRA for " + target + ")"));
  }

  /** The rank of a module's matrices; none where LyCORIS' factors are whole, nor scaled then. */
  static OptionalLong rank(LoraFile file, LoraModule module) {
    return Stream.of(
            LoraPart.DOWN,
            LoraPart.HADAMARD_1_DOWN,
            LoraPart.KRONECKER_2_DOWN,
            LoraPart.KRONECKER_1_DOWN)
        .filter(module::has)
        .mapToLong(down -> file.shape(module.key(down))[0])
        .findFirst();
  }

  /** The columns of a matrix, those of a convolution with its kernel. */
  private static long width(long[] shape) {
    long width = 1;
    for (int i = 1; i < shape.length; i++) {
      width *= shape[i];
    }
    return width;
  }

  private static String text(long[] shape) {
    return Arrays.toString(shape);
  }
}
