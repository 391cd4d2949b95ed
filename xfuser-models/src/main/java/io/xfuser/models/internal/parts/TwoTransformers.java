package io.xfuser.models.internal.parts;

import io.xfuser.failure.ModelException;
import io.xfuser.weights.ComponentConfig;

/** What a pipeline of two transformers calls the second one, and when that takes over. */
public final class TwoTransformers {
  /** The second one's name. */
  public static final String SECOND = "transformer_2";

  /** The share of all timesteps below which it takes over, in {@code model_index.json}. */
  public static final String BOUNDARY = "boundary_ratio";

  private TwoTransformers() {}

  /**
   * Refuses what {@code index} says of a model that never changes to its second transformer.
   *
   * @throws ModelException naming what is missing
   */
  public static void requireBoundary(ComponentConfig index) {
    if (!index.has(BOUNDARY)) {
      throw new ModelException(
          "%s has no %s, without which %s is not read".formatted(index.origin(), BOUNDARY, SECOND));
    }
  }
}
