package io.xfuser.models.internal;

import io.xfuser.config.InputConfig;
import io.xfuser.config.Setting;
import io.xfuser.failure.ArgumentException;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Settings of a request that only some models have. */
public final class ModelSettings {
  /** Those that have a value that asks for nothing, which any model takes. */
  private static final Map<Setting<?>, Object> NOTHING =
      Map.of(
          InputConfig.PROMPT,
          List.of(),
          InputConfig.NEGATIVE_PROMPT,
          List.of(),
          InputConfig.CLASS_LABELS,
          List.of(),
          InputConfig.NUM_IMAGES_PER_PROMPT,
          1,
          InputConfig.NUM_FRAMES,
          1,
          InputConfig.GUIDANCE_RESCALE,
          0.0,
          InputConfig.ETA,
          0.0);

  private static final List<Setting<?>> SOME =
      List.of(
          InputConfig.PROMPT,
          InputConfig.NEGATIVE_PROMPT,
          InputConfig.CLASS_LABELS,
          InputConfig.NUM_IMAGES_PER_PROMPT,
          InputConfig.HEIGHT,
          InputConfig.WIDTH,
          InputConfig.NUM_FRAMES,
          InputConfig.MAX_SEQUENCE_LENGTH,
          InputConfig.TRUE_CFG_SCALE,
          InputConfig.GUIDANCE_RESCALE,
          InputConfig.ETA,
          InputConfig.IMAGE,
          InputConfig.MASK_IMAGE,
          InputConfig.STRENGTH,
          InputConfig.PADDING_MASK_CROP);

  private ModelSettings() {}

  /**
   * Refuses what a model does not have, so that nothing is left out silently.
   *
   * @param model its short name
   * @param known what it has; with prompts or class labels it needs them
   * @throws IllegalArgumentException naming the setting
   */
  public static void check(String model, InputConfig input, Set<Setting<?>> known) {
    for (Setting<?> setting : SOME) {
      if (!known.contains(setting) && asks(input, setting)) {
        boolean drawsClasses =
            setting == InputConfig.PROMPT && known.contains(InputConfig.CLASS_LABELS);
        throw new ArgumentException(
            model + " has no " + setting + (drawsClasses ? ": it draws class_labels" : ""));
      }
    }
    for (Setting<?> needed : List.of(InputConfig.PROMPT, InputConfig.CLASS_LABELS)) {
      if (known.contains(needed) && !asks(input, needed)) {
        throw new ArgumentException(model + " needs " + needed);
      }
    }
  }

  private static boolean asks(InputConfig input, Setting<?> setting) {
    @Nullable Object value = input.get(setting);
    return value != null && !value.equals(NOTHING.get(setting));
  }
}
