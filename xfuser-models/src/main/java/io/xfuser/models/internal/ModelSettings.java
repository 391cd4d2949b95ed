package io.xfuser.models.internal;

import io.xfuser.config.InputConfig;
import io.xfuser.config.Setting;
import io.xfuser.failure.ArgumentException;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Settings of a request that only some models have. */
public final class ModelSettings {
  /** What any model takes. */
  public static final Set<Setting<?>> COMMON =
      Set.of(
          InputConfig.NUM_INFERENCE_STEPS,
          InputConfig.GUIDANCE_SCALE,
          InputConfig.DO_CLASSIFIER_FREE_GUIDANCE,
          InputConfig.SEED,
          InputConfig.SEEDS,
          InputConfig.LORA,
          InputConfig.OUTPUT_TYPE,
          InputConfig.PARTIAL_IMAGES,
          InputConfig.PREVIEW_EVERY,
          InputConfig.CACHE,
          InputConfig.CACHE_THRESHOLD,
          InputConfig.CACHE_WARMUP_STEPS,
          InputConfig.CACHE_MAX_CONTINUOUS,
          InputConfig.CACHE_WHOLE_PICTURE);

  /** Those that have a value that asks for nothing, beside their default. */
  private static final Map<Setting<?>, Object> NOTHING =
      Map.of(
          InputConfig.NUM_FRAMES,
          1,
          InputConfig.GUIDANCE_RESCALE,
          0.0,
          InputConfig.ETA,
          0.0,
          InputConfig.USE_RESOLUTION_BINNING,
          false,
          InputConfig.CLEAN_CAPTION,
          false);

  private ModelSettings() {}

  /** {@code settings} beside those that any model takes. */
  public static Set<Setting<?>> and(Setting<?>... settings) {
    return union(COMMON, Set.of(settings));
  }

  /** {@code settings} beside those that any model takes that draws what prompts say. */
  public static Set<Setting<?>> ofPrompts(Setting<?>... settings) {
    return union(
        and(
            InputConfig.PROMPT,
            InputConfig.NUM_IMAGES_PER_PROMPT,
            InputConfig.HEIGHT,
            InputConfig.WIDTH),
        Set.of(settings));
  }

  /** Those of both. */
  public static Set<Setting<?>> union(Set<Setting<?>> some, Set<Setting<?>> others) {
    Set<Setting<?>> all = new HashSet<>(some);
    all.addAll(others);
    return Set.copyOf(all);
  }

  /**
   * Refuses what a model does not have, so that nothing is left out silently.
   *
   * @param model its short name
   * @param known what it has; with prompts or class labels it needs them
   * @throws IllegalArgumentException naming the setting
   */
  public static void check(String model, InputConfig input, Set<Setting<?>> known) {
    for (Setting<?> setting : InputConfig.SETTINGS) {
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
    return value != null
        && !value.equals(List.of())
        && !value.equals(setting.standard())
        && !value.equals(NOTHING.get(setting));
  }
}
