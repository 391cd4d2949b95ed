package io.xfuser.models.internal.hunyuanvideo15;

import io.xfuser.config.InputConfig;
import io.xfuser.failure.ArgumentException;
import io.xfuser.failure.ModelException;
import io.xfuser.model.GenerationRequest.GuidanceBounds;
import io.xfuser.model.GenerationRequest.GuidanceOptions;
import io.xfuser.weights.ComponentConfig;
import java.util.Arrays;
import java.util.DoubleSummaryStatistics;
import java.util.Objects;

/**
 * How prompts are weighed: diffusers' {@code ClassifierFreeGuidance}, which is a component of the
 * pipeline. A request may ask for another scale and another rescaling.
 *
 * @param origin where the settings are from, for messages
 * @param scale weight of the prompt
 * @param rescale how far the guided prediction is scaled back
 * @param original whether what the prompt changes is added to the prediction with it
 * @param start share of the steps before guidance begins
 * @param stop share of the steps when it ends
 * @param enabled whether there is guidance at all
 */
record HunyuanVideoGuider(
    String origin,
    double scale,
    double rescale,
    boolean original,
    double start,
    double stop,
    boolean enabled) {
  /** The component's class. */
  static final String CLASS = "ClassifierFreeGuidance";

  /** Refuses what diffusers refuses. */
  HunyuanVideoGuider {
    if (!(start >= 0 && start < 1 && start <= stop && stop <= 1)) {
      throw new ModelException(
          "%s: start %s and stop %s must be from 0 to 1, the one before the other"
              .formatted(origin, start, stop));
    }
  }

  /** Reads {@code guider_config.json}; what it leaves out has diffusers' default. */
  static HunyuanVideoGuider from(ComponentConfig config) {
    return new HunyuanVideoGuider(
        config.origin(),
        config.getDouble("guidance_scale", 7.5),
        config.getDouble("guidance_rescale", 0),
        config.getBoolean("use_original_formulation", false),
        config.getDouble("start", 0),
        config.getDouble("stop", 1),
        config.getBoolean("enabled", true));
  }

  /**
   * What {@code input} asks for.
   *
   * @param timesteps of the request's steps, descending, or ascending where sigmas are inverted
   * @throws ArgumentException for a scale by which prompts would count less than none
   */
  GuidanceOptions options(InputConfig input, double[] timesteps) {
    double asked = Objects.requireNonNullElse(input.guidanceScale(), scale);
    double weight = original ? asked + 1 : asked; // p + s(p − n) is n + (s + 1)(p − n)
    if (weight < 1) {
      throw new ArgumentException(
          "guidance_scale is %s, but must be at least %d".formatted(asked, original ? 0 : 1));
    }
    int first = (int) (start * timesteps.length);
    int end = (int) (stop * timesteps.length);
    if (!enabled || first >= end) {
      return new GuidanceOptions(1, 0, 0);
    }
    DoubleSummaryStatistics guided = Arrays.stream(timesteps, first, end).summaryStatistics();
    double scaledBack = Objects.requireNonNullElse(input.guidanceRescale(), rescale);
    return new GuidanceOptions(weight, scaledBack, 0)
        .with(GuidanceBounds.within(guided.getMax(), guided.getMin()));
  }
}
