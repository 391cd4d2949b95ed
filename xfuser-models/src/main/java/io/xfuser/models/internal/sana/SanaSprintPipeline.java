package io.xfuser.models.internal.sana;

import io.xfuser.config.InputConfig;
import io.xfuser.failure.ArgumentException;
import io.xfuser.model.GenerationRequest;
import io.xfuser.model.GenerationRequest.Defaults;
import io.xfuser.model.GenerationRequest.GuidanceOptions;
import io.xfuser.model.PipelineComponents;
import io.xfuser.models.internal.ModelSettings;
import io.xfuser.models.internal.PictureLoop;
import io.xfuser.models.internal.scheduler.Angles;
import io.xfuser.scheduler.Scheduler;
import io.xfuser.scheduler.SchedulerProvider;
import io.xfuser.scheduler.SchedulerRequest;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A directory of SANA-Sprint ({@code SanaSprintPipeline} in diffusers, {@code
 * SanaSprintImg2ImgPipeline} for requests with a picture), which draws in one to four steps: the
 * transformer is told the guidance, and steps are turns from noise to the picture by angles.
 */
final class SanaSprintPipeline extends SanaPipeline {
  private static final Defaults DEFAULTS = new Defaults(2, 4.5, 300, false);

  private static final Kind KIND =
      new Kind(
          "sana",
          ModelSettings.union(
              COMMON,
              Set.of(
                  InputConfig.MAX_TIMESTEPS,
                  InputConfig.INTERMEDIATE_TIMESTEPS,
                  InputConfig.IMAGE,
                  InputConfig.STRENGTH)));

  private static final PictureLoop LOOP = new PictureLoop(0.6, false, false);

  SanaSprintPipeline(PipelineComponents components) {
    super(KIND, components, needs().scheduler(SchedulerProvider.Ability.ANGLES));
  }

  @Override
  boolean toldGuidance() {
    return true;
  }

  @Override
  protected String title() {
    return "sana_sprint";
  }

  @Override
  Scheduler scaled(Scheduler scheduler) {
    return scheduler;
  }

  @Override
  Defaults defaults() {
    return DEFAULTS;
  }

  @Override
  protected GenerationRequest resolved(InputConfig input) {
    GenerationRequest request = super.resolved(input);
    int steps = request.scheduler().steps();
    GenerationRequest drawn =
        request
            .withGuidance(new GuidanceOptions(1, 0, request.guidance().scale()))
            .withScheduler(new SchedulerRequest(steps, 0, null, angles(input, steps)));
    if (input.image() != null) {
      autoencoder().checkEncoder();
      return LOOP.begin(drawn, vae().draws());
    }
    String pipeline = components().index().getString("_class_name");
    if (pipeline.equals(FROM_PICTURES)) {
      throw new ArgumentException(pipeline + " needs " + InputConfig.IMAGE);
    }
    return drawn;
  }

  /** Angles before each step and after the last one. */
  private static List<Double> angles(InputConfig input, int steps) {
    double largest = Objects.requireNonNull(input.get(InputConfig.MAX_TIMESTEPS));
    @Nullable Double middle = input.get(InputConfig.INTERMEDIATE_TIMESTEPS);
    if (middle != null && steps != 2) {
      throw new ArgumentException(
          "%s is for 2 steps, but num_inference_steps is %d"
              .formatted(InputConfig.INTERMEDIATE_TIMESTEPS, steps));
    }
    return Angles.of(largest, middle, steps);
  }
}
