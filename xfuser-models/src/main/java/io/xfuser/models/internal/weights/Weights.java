package io.xfuser.models.internal.weights;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.failure.ModelException;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Named tensors of one component, read when asked for, in the run's element type and on the device
 * where they are used. Names are diffusers' and transformers', whatever the files call them. What
 * changes weights is a decorator of this: it needs to know whole names alone. Safe for use by
 * several threads.
 */
public interface Weights {
  /** The same tensors, with {@code prefix} put before every name asked for. */
  default Weights at(String prefix) {
    return new PrefixedWeights(this, prefix);
  }

  /** Whether there is a tensor of this name. */
  boolean has(String name);

  /**
   * The tensor {@code name} in the run's element type, owned by {@code owner}. Must not be written
   * to: it may be the file itself.
   *
   * @param shape the shape that the model needs
   * @throws ModelException if it is missing, has another shape or lies outside its file
   */
  NDArray get(NDManager owner, String name, long... shape);

  /**
   * A part of the tensor {@code name}, contiguous, without reading the rest: rows of a matrix that
   * has the run's type may be the file itself, columns are copied. The tensor itself where nothing
   * is cut off.
   *
   * @param shape the shape that the model needs of the whole tensor
   * @throws ModelException as for the whole tensor
   */
  NDArray get(NDManager owner, Cut cut, String name, long... shape);

  /**
   * The same part as the file has it, where that is mapped, holds floats of the run's type or
   * another and is changed by nobody: it takes no memory. Not necessarily contiguous. Empty where
   * {@link #get} is to be used.
   *
   * @param shape the shape that the model needs of the whole tensor
   * @throws ModelException as for {@link #get}
   */
  default Optional<InFile> inFile(NDManager owner, Cut cut, String name, long... shape) {
    return Optional.empty();
  }

  /** Whether linear layers are to be multiplied by what is {@link #inFile} in another type. */
  default boolean keepsTypes() {
    return false;
  }

  /** How weights of linear layers are read; {@code null} = as {@link #get} has them. */
  default @Nullable Int8 int8() {
    return null;
  }

  /**
   * The same weights without content or memory, for a reader who will read these when they are
   * used; null where that costs nothing, because they are the files themselves.
   */
  default @Nullable Weights outline() {
    return null;
  }

  /**
   * Says what the model uses, where it is known which tensors there are: those hold floating-point
   * numbers, and the others are named in a warning.
   *
   * @param used whether the model uses a tensor of this name, if there is one
   * @throws ModelException if one that it uses holds something else, or the others show that the
   *     weights are quantized
   */
  default void expect(Predicate<String> used) {}

  /**
   * The same, where one expression matches all names that the model uses.
   *
   * @param used matches a whole name; compiled once
   * @throws ModelException as {@link #expect(Predicate)}
   */
  default void expect(String used) {
    expect(Pattern.compile(used).asMatchPredicate());
  }
}
