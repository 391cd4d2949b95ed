package io.xfuser.scheduler;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
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

  @Test
  void anUnknownClassComesWithTheSupportedOnes() {
    assertRejected(
        "{\"_class_name\": \"EDMEulerScheduler\"}",
        SchedulerRequest.of(5),
        "test.json: _class_name is \"EDMEulerScheduler\"; supported are"
            + " DDIMScheduler, DDPMScheduler, DPMSolverMultistepScheduler,"
            + " EulerAncestralDiscreteScheduler, EulerDiscreteScheduler,"
            + " FlowMatchEulerDiscreteScheduler, FlowMatchHeunDiscreteScheduler,"
            + " HeunDiscreteScheduler, LCMScheduler, UniPCMultistepScheduler");
    assertRejected("{}", SchedulerRequest.of(5), "test.json has no _class_name");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "DPMSolverMultistepScheduler | thresholding: true | thresholding is true, which",
        "DPMSolverMultistepScheduler | variance_type: 'learned' | variance_type is \"learned\"",
        "DPMSolverMultistepScheduler | algorithm_type: 'x'"
            + " | algorithm_type is \"x\"; supported are dpmsolver++",
        "DPMSolverMultistepScheduler | algorithm_type: 'dpmsolver'"
            + " | algorithm_type dpmsolver needs final_sigmas_type \"sigma_min\"",
        "DPMSolverMultistepScheduler | algorithm_type: 'sde-dpmsolver', solver_order: 3,"
            + " final_sigmas_type: 'sigma_min' | algorithm_type sde-dpmsolver has no solver_order"
            + " 3",
        "DPMSolverMultistepScheduler | algorithm_type: 'dpmsolver', final_sigmas_type: 'sigma_min',"
            + " prediction_type: 'flow_prediction' | prediction_type is \"flow_prediction\"",
        "DPMSolverMultistepScheduler | solver_type: 'x' | supported are midpoint, heun",
        "UniPCMultistepScheduler | thresholding: true | thresholding is true, which",
        "UniPCMultistepScheduler | solver_type: 'bh1' | the last step, down to no noise, divides",
        "UniPCMultistepScheduler | lower_order_final: false | the last step, down to no noise",
        "UniPCMultistepScheduler | predict_x0: false | the last step, down to no noise, divides",
        "UniPCMultistepScheduler | solver_order: 4 | solver_order is 4, not 1, 2 or 3",
        "UniPCMultistepScheduler | use_karras_sigmas: true, use_beta_sigmas: true"
            + " | use_karras_sigmas and use_beta_sigmas exclude each other",
        "LCMScheduler | thresholding: true | thresholding is true, which is not supported",
        "LCMScheduler | original_inference_steps: 4 | 5 steps of 4 original_inference_steps",
        "EulerAncestralDiscreteScheduler | prediction_type: 'sample' | prediction_type is \"sample",
        "HeunDiscreteScheduler | use_exponential_sigmas: true, use_beta_sigmas: true"
            + " | use_exponential_sigmas and use_beta_sigmas exclude each other",
        "DPMSolverMultistepScheduler | solver_order: 4 | solver_order is 4, not 1, 2 or 3",
        "DPMSolverMultistepScheduler | beta_schedule: 'sigmoid' | beta_schedule is \"sigmoid\"",
        "DPMSolverMultistepScheduler | prediction_type: 'x' | prediction_type is \"x\"; supported",
        "DPMSolverMultistepScheduler | final_sigmas_type: 'x' | final_sigmas_type is \"x\"",
        "DPMSolverMultistepScheduler | timestep_spacing: 'x' | timestep_spacing is \"x\"",
        "DPMSolverMultistepScheduler | num_train_timesteps: 0 | num_train_timesteps is 0",
        "DPMSolverMultistepScheduler | num_train_timesteps: 4"
            + " | 5 steps, but the noise schedule of test.json has only 4",
        "DPMSolverMultistepScheduler | trained_betas: 'x' | trained_betas is \"x\", not a list",
        "DDIMScheduler | thresholding: true | thresholding is true, which is not supported",
        "DDIMScheduler | prediction_type: 'flow_prediction' | prediction_type is \"flow_pred",
        "DDIMScheduler | steps_offset: 200 | steps_offset 200 leads to timestep 1000 of 1000",
        "DDIMScheduler | num_train_timesteps: 4 | 5 steps, but the noise schedule",
        "DDPMScheduler | thresholding: true | thresholding is true, which is not supported",
        "DDPMScheduler | variance_type: 'learned' | variance_type is \"learned\"; supported are"
            + " fixed_small, fixed_small_log, fixed_l",
        "DDPMScheduler | variance_type: 'learned_range' | variance_type is \"learned_range\"; supp",
        "DDPMScheduler | variance_type: 'fixed_large_log' | variance_type is \"fixed_large_log\"",
        "DDPMScheduler | prediction_type: 'flow_prediction' | prediction_type is \"flow_pred",
        "DDPMScheduler | beta_schedule: 'sigmoid' | beta_schedule is \"sigmoid\"; supported",
        "DDPMScheduler | timestep_spacing: 'x' | timestep_spacing is \"x\"",
        "DDPMScheduler | steps_offset: 200 | steps_offset 200 leads to timestep 1000 of 1000",
        "DDPMScheduler | num_train_timesteps: 4 | 5 steps, but the noise schedule",
        "EulerDiscreteScheduler | interpolation_type: 'x' | interpolation_type is \"x\"",
        "EulerDiscreteScheduler | timestep_type: 'continuous', prediction_type: 'v_prediction'"
            + " | timestep_type is \"continuous\", which is not supported",
        "EulerDiscreteScheduler | use_karras_sigmas: true, use_exponential_sigmas: true"
            + " | use_karras_sigmas and use_exponential_sigmas exclude each other",
        "FlowMatchEulerDiscreteScheduler | stochastic_sampling: true | stochastic_sampling is true",
        "FlowMatchEulerDiscreteScheduler | use_dynamic_shifting: true"
            + " | use_dynamic_shifting is true, but the request has no mu"
      })
  void aSettingThatIsNotSupportedIsNamed(String name, String settings, String message) {
    assertRejected(config(name, settings), SchedulerRequest.of(5), message);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "DDPMScheduler",
        "DPMSolverMultistepScheduler",
        "EulerAncestralDiscreteScheduler",
        "EulerDiscreteScheduler",
        "FlowMatchEulerDiscreteScheduler",
        "FlowMatchHeunDiscreteScheduler",
        "HeunDiscreteScheduler",
        "LCMScheduler",
        "UniPCMultistepScheduler"
      })
  void etaIsRefusedWhereThereIsNone(String name) {
    SchedulerRequest request = new SchedulerRequest(5, 0.5, null, null);
    assertRejected(config(name, ""), request, "eta is 0.5, but " + name + " takes none");
  }

  @Test
  void impossibleRequestsAreRefused() {
    assertThatThrownBy(() -> SchedulerRequest.of(0))
        .hasMessage("at least one denoising step is needed, got 0");
    assertThatThrownBy(() -> new SchedulerRequest(5, 1.5, null, null))
        .hasMessage("eta is 1.5, not between 0 and 1");
    assertThatThrownBy(() -> new SchedulerRequest(5, Double.NaN, null, null))
        .hasMessage("eta is NaN, not between 0 and 1");
    assertThatThrownBy(() -> new SchedulerRequest(5, 0, null, List.of(1.0)))
        .hasMessage("1 sigmas for 5 steps");
  }

  /** What save_config of diffusers 0.36 writes, and settings of other classes, of no effect. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        """
        "_class_name": "DPMSolverMultistepScheduler", "algorithm_type": "dpmsolver++",
        "beta_end": 0.02, "beta_schedule": "linear", "beta_start": 0.0001,
        "dynamic_thresholding_ratio": 0.995, "euler_at_final": false, "final_sigmas_type": "zero",
        "flow_shift": 1.0, "lambda_min_clipped": -Infinity, "lower_order_final": true,
        "num_train_timesteps": 1000, "prediction_type": "epsilon",
        "rescale_betas_zero_snr": false, "sample_max_value": 1.0, "solver_order": 2,
        "solver_type": "midpoint", "steps_offset": 0, "thresholding": false,
        "time_shift_type": "exponential", "timestep_spacing": "linspace", "trained_betas": null,
        "use_beta_sigmas": false, "use_dynamic_shifting": false, "use_exponential_sigmas": false,
        "use_flow_sigmas": false, "use_karras_sigmas": false, "use_lu_lambdas": false,
        "variance_type": null\
        """,
        """
        "_class_name": "DDIMScheduler", "beta_end": 0.02, "beta_schedule": "linear",
        "beta_start": 0.0001, "clip_sample": true, "clip_sample_range": 1.0,
        "dynamic_thresholding_ratio": 0.995, "num_train_timesteps": 1000,
        "prediction_type": "epsilon", "rescale_betas_zero_snr": false, "sample_max_value": 1.0,
        "set_alpha_to_one": true, "steps_offset": 0, "thresholding": false,
        "timestep_spacing": "leading", "trained_betas": null\
        """,
        """
        "_class_name": "DDPMScheduler", "beta_end": 0.03, "beta_schedule": "scaled_linear",
        "beta_start": 0.00085, "clip_sample": false, "clip_sample_range": 1.0,
        "dynamic_thresholding_ratio": 0.995, "num_train_timesteps": 1000,
        "prediction_type": "v_prediction", "rescale_betas_zero_snr": false,
        "sample_max_value": 1.0, "steps_offset": 1, "thresholding": false,
        "timestep_spacing": "leading", "variance_type": "fixed_small", "trained_betas": null\
        """,
        """
        "_class_name": "EulerDiscreteScheduler", "beta_end": 0.02, "beta_schedule": "linear",
        "beta_start": 0.0001, "final_sigmas_type": "zero", "interpolation_type": "linear",
        "num_train_timesteps": 1000, "prediction_type": "epsilon",
        "rescale_betas_zero_snr": false, "sigma_max": null, "sigma_min": null, "steps_offset": 0,
        "timestep_spacing": "linspace", "timestep_type": "discrete", "trained_betas": null,
        "use_beta_sigmas": false, "use_exponential_sigmas": false, "use_karras_sigmas": false\
        """,
        """
        "_class_name": "FlowMatchEulerDiscreteScheduler", "base_image_seq_len": 256,
        "base_shift": 0.5, "invert_sigmas": false, "max_image_seq_len": 4096, "max_shift": 1.15,
        "num_train_timesteps": 1000, "shift": 1.0, "shift_terminal": null,
        "stochastic_sampling": false, "time_shift_type": "exponential", "use_beta_sigmas": false,
        "use_dynamic_shifting": false, "use_exponential_sigmas": false,
        "use_karras_sigmas": false\
        """
      })
  void allSettingsThatDiffusersWritesAreAccepted(String settings) {
    String more = ", \"_diffusers_version\": \"0.36.0\", \"skip_prk_steps\": true";
    assertThat(scheduler("{" + settings + more + "}", 20).timesteps()).hasSize(20);
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
        "LCMScheduler |",
        "EulerAncestralDiscreteScheduler |",
        "HeunDiscreteScheduler |",
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

  private static Scheduler scheduler(String config, int steps) {
    return Schedulers.fromConfig(
        ComponentConfig.parse("test.json", config), SchedulerRequest.of(steps));
  }

  /** JSON from {@code name: 'value'} pairs, which fit into a line. */
  private static String config(String name, String settings) {
    String quoted = settings.replaceAll("(\\w+):", "\"$1\":").replace('\'', '"');
    return "{\"_class_name\": \"%s\"%s%s}".formatted(name, quoted.isEmpty() ? "" : ", ", quoted);
  }

  private static void assertRejected(String config, SchedulerRequest request, String message) {
    ComponentConfig parsed = ComponentConfig.parse("test.json", config);
    assertThatThrownBy(() -> Schedulers.fromConfig(parsed, request))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(message);
  }
}
