package io.xfuser.models.internal.scheduler;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.scheduler.Sample;
import io.xfuser.scheduler.Scheduler;
import io.xfuser.scheduler.SchedulerRequest;
import io.xfuser.torchscript.Torch;
import io.xfuser.weights.ComponentConfig;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SchedulersTest {
  @BeforeEach
  void prepare() {
    Torch.prepareThread(1);
  }

  /** diffusers gives 62 timesteps here, the last of them −1. */
  @ParameterizedTest
  @ValueSource(strings = {"DPMSolverMultistepScheduler", "DDIMScheduler", "EulerDiscreteScheduler"})
  void trailingSpacingNeverMakesMoreStepsThanAskedFor(String name) {
    String config = config(name, "timestep_spacing: 'trailing'");
    assertThat(scheduler(config, 61).timesteps()).hasSize(61).endsWith(15);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "DPMSolverMultistepScheduler | solver_order: 3",
        "DPMSolverMultistepScheduler | algorithm_type: 'sde-dpmsolver++'",
        "UniPCMultistepScheduler | solver_order: 3",
        "DEISMultistepScheduler | solver_order: 3",
        "LCMScheduler |",
        "EulerAncestralDiscreteScheduler |",
        "HeunDiscreteScheduler |",
        "CogVideoXDPMScheduler | prediction_type: 'v_prediction'",
        "FlowMatchHeunDiscreteScheduler | shift: 3"
      })
  void patchesSteppedInAnyOrderEqualTheWholePicture(String name, @Nullable String settings) {
    Scheduler scheduler = scheduler(config(name, settings == null ? "" : settings), 6);
    try (NDManager manager = Torch.newManager()) {
      NDArray first = manager.create(new float[] {0.3f, -1.2f, 2, 0.7f});
      Sample whole = Sample.of(first);
      List<Sample> patches = new ArrayList<>();
      for (int patch = 0; patch < 4; patch++) {
        patches.add(Sample.of(Torch.slice(manager, first, 0, patch, patch + 1)));
      }
      for (int step = 0; step < scheduler.timesteps().length; step++) {
        NDArray prediction = manager.create(new float[] {step, 1, -step, 0.5f});
        NDArray noise = manager.create(new float[] {-step, 0.2f, 1, step});
        whole = scheduler.step(manager, whole, prediction, noise);
        for (int patch : new int[] {2, 0, 3, 1}) {
          NDArray part = Torch.slice(manager, prediction, 0, patch, patch + 1);
          NDArray own = Torch.slice(manager, noise, 0, patch, patch + 1);
          patches.set(patch, scheduler.step(manager, patches.get(patch), part, own));
        }
      }
      for (int patch = 0; patch < 4; patch++) {
        assertThat(patches.get(patch).tokens().getFloat(0))
            .isEqualTo(whole.tokens().getFloat(patch));
      }
    }
  }

  /** Made by scipy 1.17: scipy.stats.beta.ppf(q, 0.6, 0.6). */
  @ParameterizedTest
  @CsvSource({
    "1e-06, 1.8558824624053043e-10",
    "0.02, 0.002732982024577027",
    "0.25, 0.17568037865269498",
    "0.5, 0.5000000000000001",
    "0.731, 0.8027421870891676",
    "0.98, 0.9972670179754229",
    "0.9795918367346939, 0.9971734946740128"
  })
  void quantilesOfTheBetaDistributionAreScipys(double probability, double quantile) {
    assertThat(SigmaCurves.quantile(probability)).isEqualTo(quantile, within(1e-15));
  }

  @Test
  void aModelOfSecondOrderIsAskedTwiceAStepButInTheLast() {
    assertThat(scheduler(config("HeunDiscreteScheduler", ""), 3).timesteps())
        .containsExactly(999, 499.5, 499.5, 0, 0);
    assertThat(scheduler(config("FlowMatchHeunDiscreteScheduler", ""), 1).timesteps())
        .containsExactly(1000);
  }

  @Test
  void theHistoryIsAsLongAsTheNextStepNeedsIt() {
    Scheduler scheduler = scheduler(config("DPMSolverMultistepScheduler", "solver_order: 3"), 6);
    try (NDManager manager = Torch.newManager()) {
      Sample sample = Sample.of(manager.create(new float[] {1}));
      for (int length : new int[] {1, 2, 2, 2}) {
        sample = scheduler.step(manager, sample, manager.create(new float[] {1}), null);
        assertThat(sample.history()).hasSize(length);
      }
    }
  }

  @Test
  void aStochasticStepWithoutNoiseIsRefused() {
    Scheduler scheduler =
        Schedulers.fromConfig(
            ComponentConfig.parse("test.json", config("DDIMScheduler", "")),
            new SchedulerRequest(5, 0.5, null, null));
    assertThat(scheduler.stochastic()).isTrue();
    try (NDManager manager = Torch.newManager()) {
      NDArray x = manager.create(new float[] {1});
      assertThatThrownBy(() -> scheduler.step(manager, Sample.of(x), x, null))
          .hasMessage("eta is 0.5, but there is no noise to add");
    }
  }

  @Test
  void ddpmAddsNoiseInEachStepButAtTimestepZero() {
    Scheduler scheduler = scheduler(config("DDPMScheduler", "clip_sample: false"), 2);
    assertThat(scheduler.stochastic()).isTrue();
    assertThat(scheduler.timesteps()).containsExactly(500, 0);
    try (NDManager manager = Torch.newManager()) {
      NDArray x = manager.create(new float[] {1});
      Sample first = Sample.of(x);
      assertThatThrownBy(() -> scheduler.step(manager, first, x, null))
          .hasMessage("DDPM is at timestep 500, but there is no noise to add");
      Sample second = scheduler.step(manager, first, x, x);
      float silent = scheduler.step(manager, second, x, null).tokens().getFloat(0);
      float noisy = scheduler.step(manager, second, x, manager.create(50f)).tokens().getFloat(0);
      assertThat(noisy).isEqualTo(silent);
    }
  }

  @Test
  void theShiftIsLinearInTheTokensAndHasTwoEnds() {
    DynamicShift shift = DynamicShift.from(ComponentConfig.parse("test.json", "{}"));
    assertThat(shift).isEqualTo(new DynamicShift(256, 4096, 0.5, 1.15));
    assertThat(shift.mu(256)).isEqualTo(0.5, within(1e-15));
    assertThat(shift.mu(4096)).isEqualTo(1.15, within(1e-15));
    assertThat(shift.mu(2176)).isEqualTo(0.825, within(1e-15)); // half way
    assertThatThrownBy(() -> new DynamicShift(256, 256, 0.5, 1.15))
        .hasMessage("base_image_seq_len and max_image_seq_len are both 256");
  }

  @Test
  void aPerfectFlowPredictionReachesThePicture() {
    Scheduler scheduler = scheduler(config("FlowMatchEulerDiscreteScheduler", "shift: 3"), 7);
    try (NDManager manager = Torch.newManager()) {
      NDArray velocity = manager.create(new float[] {5f - 2f}); // noise 5, picture 2
      Sample sample = Sample.of(manager.create(new float[] {5}));
      for (int step = 0; step < 7; step++) {
        sample = scheduler.step(manager, sample, velocity, null);
      }
      assertThat((double) sample.tokens().getFloat(0)).isEqualTo(2, within(1e-6));
    }
  }

  static Scheduler scheduler(String config, int steps) {
    return Schedulers.fromConfig(
        ComponentConfig.parse("test.json", config), SchedulerRequest.of(steps));
  }

  /** JSON from {@code name: 'value'} pairs, which fit into a line. */
  static String config(String name, String settings) {
    String quoted = settings.replaceAll("(\\w+):", "\"$1\":").replace('\'', '"');
    return "{\"_class_name\": \"%s\"%s%s}".formatted(name, quoted.isEmpty() ? "" : ", ", quoted);
  }
}
