package io.xfuser.models.internal.weights;

import java.util.List;
import java.util.Map;

/**
 * How a component's weights lie in a file that has no settings beside it: recognised by names,
 * renamed to diffusers' or transformers', its settings read from shapes. Found by {@link
 * java.util.ServiceLoader}.
 */
public interface CheckpointFormat {
  /** What a file of it has, {@code a T5 encoder} for example. */
  String title();

  /** The component that it may be, without a number: {@code text_encoder} for example. */
  String component();

  /** What names begin with where other components are in the same file; the longest first. */
  List<String> prefixes();

  /** Whether these are tensors of it, with names as in a file of it alone. */
  boolean fits(Tensors tensors);

  /** The same by the names that the model has for them. */
  Tensors canonical(Tensors tensors);

  /**
   * The settings that the model's {@code config.json} would have.
   *
   * @param tensors by the model's names
   */
  Map<String, Object> config(Tensors tensors);
}
