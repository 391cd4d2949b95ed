package io.xfuser.models.internal.scheduler;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.scheduler.Sample;
import io.xfuser.scheduler.Scheduler;
import io.xfuser.scheduler.SchedulerRequest;
import io.xfuser.torchscript.Torch;
import io.xfuser.weights.ComponentConfig;
import java.util.Objects;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What is shown of a step is what a last step would have given. */
class SchedulerPreviewTest {
  private static final int STEPS = 4;

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "DDIMScheduler; \"clip_sample\": false",
        "DDPMScheduler; \"clip_sample\": true, \"prediction_type\": \"v_prediction\"",
        "EulerDiscreteScheduler; \"prediction_type\": \"v_prediction\"",
        "EulerAncestralDiscreteScheduler; \"timestep_spacing\": \"trailing\"",
        "HeunDiscreteScheduler; \"use_karras_sigmas\": true",
        "FlowMatchEulerDiscreteScheduler; \"shift\": 3.0",
        "FlowMatchEulerDiscreteScheduler; \"invert_sigmas\": true",
        "FlowMatchHeunDiscreteScheduler; \"shift\": 3.0",
        "DPMSolverMultistepScheduler; \"solver_order\": 3",
        "DPMSolverMultistepScheduler; \"use_flow_sigmas\": true, \"prediction_type\":"
            + " \"flow_prediction\"",
        "UniPCMultistepScheduler; \"solver_order\": 2",
        "LCMScheduler; \"clip_sample\": false"
      })
  void lastStepGivesWhatIsShownOfIt(String name, String settings) {
    ComponentConfig config =
        ComponentConfig.parse(name, "{\"_class_name\": \"%s\", %s}".formatted(name, settings));
    Scheduler scheduler = Schedulers.fromConfig(config, SchedulerRequest.of(STEPS));
    try (NDManager owner = Torch.newManager()) {
      NDArray noise = owner.create(new float[] {0.5f, -1.5f, 2, 0.1f});
      double initial = scheduler.initialNoiseSigma();
      Sample sample = Sample.of(owner.create(scaled(noise.toFloatArray(), initial)));
      NDArray shown = noise;
      for (int step = 0; step < scheduler.timesteps().length; step++) {
        NDArray input = scheduler.scaleInput(owner, sample.tokens(), step);
        NDArray predicted = owner.create(scaled(input.toFloatArray(), 0.3));
        shown = Objects.requireNonNull(scheduler.preview(owner, sample, predicted));
        sample = scheduler.step(owner, sample, predicted, scheduler.stochastic() ? noise : null);
      }
      float[] last = sample.tokens().toFloatArray();
      float[] seen = shown.toFloatArray();
      for (int i = 0; i < last.length; i++) {
        assertThat(seen[i]).isEqualTo(last[i], within(1e-4f));
      }
    }
  }

  private static float[] scaled(float[] values, double factor) {
    float[] all = new float[values.length];
    for (int i = 0; i < all.length; i++) {
      all[i] = (float) (values[i] * factor);
    }
    return all;
  }
}
