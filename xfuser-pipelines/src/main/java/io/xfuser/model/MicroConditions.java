package io.xfuser.model;

import io.xfuser.config.InputConfig;
import io.xfuser.transformer.ConditionInput;
import java.util.List;

/** What some models are told of a picture's size beside it (arXiv 2307.01952, section 2.2). */
final class MicroConditions {
  private MicroConditions() {}

  /** What {@code input} asks for; the target is the picture's own size where nothing is said. */
  static ConditionInput.Sizes sizes(InputConfig input, GenerationRequest.Size own) {
    List<Integer> target = input.listed(InputConfig.TARGET_SIZE);
    return new ConditionInput.Sizes(
        input.listed(InputConfig.ORIGINAL_SIZE),
        target.isEmpty() ? List.of(own.height(), own.width()) : target,
        input.listed(InputConfig.CROPS_COORDS_TOP_LEFT));
  }
}
