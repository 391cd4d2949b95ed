package io.xfuser.pipeline;

import io.xfuser.config.InputConfig;
import java.util.Objects;
import java.util.Set;

/** Settings of a request that only some models have. */
public enum Setting {
  PROMPT("prompts"),
  NEGATIVE_PROMPT("negative prompts"),
  CLASS_LABELS("class labels"),
  IMAGES_PER_PROMPT("images per prompt"),
  SIZE("height or width"),
  NUM_FRAMES("num_frames"),
  MAX_SEQUENCE_LENGTH("max_sequence_length"),
  TRUE_CFG_SCALE("true_cfg_scale"),
  GUIDANCE_RESCALE("guidance_rescale"),
  ETA("eta");

  private final String title;

  Setting(String title) {
    this.title = title;
  }

  /**
   * Refuses what a model does not have, so that no flag is left out silently.
   *
   * @param model its short name
   * @param known what it has; with {@link #PROMPT} or {@link #CLASS_LABELS} it needs them
   * @throws IllegalArgumentException naming the setting
   */
  public static void check(String model, InputConfig input, Set<Setting> known) {
    for (Setting setting : values()) {
      if (!known.contains(setting) && setting.in(input)) {
        boolean drawsClasses = setting == PROMPT && known.contains(CLASS_LABELS);
        throw new IllegalArgumentException(
            model + " has no " + setting.title + (drawsClasses ? ": it draws class_labels" : ""));
      }
    }
    for (Setting needed : Set.of(PROMPT, CLASS_LABELS)) {
      if (known.contains(needed) && !needed.in(input)) {
        throw new IllegalArgumentException(model + " needs " + needed.title);
      }
    }
  }

  private boolean in(InputConfig input) {
    return switch (this) {
      case PROMPT -> !input.prompts().isEmpty();
      case NEGATIVE_PROMPT -> !input.negativePrompts().isEmpty();
      case CLASS_LABELS -> !input.classLabels().isEmpty();
      case IMAGES_PER_PROMPT -> input.numImagesPerPrompt() != 1;
      case SIZE -> input.height() != null || input.width() != null;
      case NUM_FRAMES -> Objects.requireNonNullElse(input.numFrames(), 1) != 1;
      case MAX_SEQUENCE_LENGTH -> input.maxSequenceLength() != null;
      case TRUE_CFG_SCALE -> input.trueCfgScale() != null;
      case GUIDANCE_RESCALE -> Objects.requireNonNullElse(input.guidanceRescale(), 0.0) != 0;
      case ETA -> Objects.requireNonNullElse(input.eta(), 0.0) != 0;
    };
  }
}
