package io.xfuser.models.internal.scheduler;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.xfuser.failure.ArgumentException;
import io.xfuser.failure.ModelException;
import io.xfuser.scheduler.SchedulerRequest;
import io.xfuser.torchscript.Torch;
import io.xfuser.weights.ComponentConfig;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Which settings and requests are taken, and what is said of others. */
class SchedulerSettingsTest {
  @BeforeEach
  void prepare() {
    Torch.prepareThread(1);
  }

  @Test
  void anUnknownClassComesWithTheSupportedOnes() {
    assertRejected(
        "{\"_class_name\": \"EDMEulerScheduler\"}",
        SchedulerRequest.of(5),
        "test.json: _class_name is \"EDMEulerScheduler\"; supported are CogVideoXDDIMScheduler,"
            + " CogVideoXDPMScheduler, DDIMScheduler, DDPMScheduler, DEISMultistepScheduler,"
            + " DPMSolverMultistepScheduler, EulerAncestralDiscreteScheduler,"
            + " EulerDiscreteScheduler, FlowMatchEulerDiscreteScheduler,"
            + " FlowMatchHeunDiscreteScheduler, HeunDiscreteScheduler, LCMScheduler, SCMScheduler,"
            + " UniPCMultistepScheduler");
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
        "DEISMultistepScheduler | algorithm_type: 'x' | algorithm_type is \"x\"; supported are"
            + " deis",
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
            + " | num_inference_steps is 5, but the noise schedule of test.json has only 4",
        "DPMSolverMultistepScheduler | trained_betas: 'x' | trained_betas is \"x\", not a list",
        "DDIMScheduler | thresholding: true | thresholding is true, which is not supported",
        "DDIMScheduler | prediction_type: 'flow_prediction' | prediction_type is \"flow_pred",
        "DDIMScheduler | steps_offset: 200 | steps_offset 200 leads to timestep 1000 of 1000",
        "DDIMScheduler | num_train_timesteps: 4 | num_inference_steps is 5, but the noise schedule",
        "DDPMScheduler | thresholding: true | thresholding is true, which is not supported",
        "DDPMScheduler | variance_type: 'learned' | variance_type is \"learned\"; supported are"
            + " fixed_small, fixed_small_log, fixed_l",
        "DDPMScheduler | variance_type: 'learned_range' | variance_type is \"learned_range\"; supp",
        "DDPMScheduler | variance_type: 'fixed_large_log' | variance_type is \"fixed_large_log\"",
        "DDPMScheduler | prediction_type: 'flow_prediction' | prediction_type is \"flow_pred",
        "DDPMScheduler | beta_schedule: 'sigmoid' | beta_schedule is \"sigmoid\"; supported",
        "DDPMScheduler | timestep_spacing: 'x' | timestep_spacing is \"x\"",
        "DDPMScheduler | steps_offset: 200 | steps_offset 200 leads to timestep 1000 of 1000",
        "DDPMScheduler | num_train_timesteps: 4 | num_inference_steps is 5, but the noise schedule",
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
    assertRejected(SchedulersTest.config(name, settings), SchedulerRequest.of(5), message);
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
    assertRejected(
        SchedulersTest.config(name, ""), request, "eta is 0.5, but " + name + " takes none");
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
    assertThat(SchedulersTest.scheduler("{" + settings + more + "}", 20).timesteps()).hasSize(20);
  }

  private static void assertRejected(String config, SchedulerRequest request, String message) {
    ComponentConfig parsed = ComponentConfig.parse("test.json", config);
    assertThatThrownBy(() -> Schedulers.fromConfig(parsed, request))
        .isInstanceOfAny(ArgumentException.class, ModelException.class)
        .hasMessageContaining(message);
  }
}
