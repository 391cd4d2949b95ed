package io.xfuser.models.internal.zimage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.xfuser.config.InputConfig;
import io.xfuser.failure.ArgumentException;
import io.xfuser.failure.ModelException;
import io.xfuser.model.GenerationRequest;
import io.xfuser.models.contract.DirectoryCopy;
import io.xfuser.models.contract.Requests;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What its scheduler is asked for, and which of its settings give no noise levels. */
class ZImagePipelineTest {
  private static final Path FIXTURE = Path.of("src/test/resources/fixtures/zimage_tiny");
  private static final InputConfig FOX = InputConfig.builder("a fox").size(48, 64).build();

  @TempDir Path scratch;
  private DirectoryCopy copy;

  @BeforeEach
  void copy() throws IOException {
    copy = DirectoryCopy.of(FIXTURE, scratch);
  }

  @Test
  void levelsEndAtNone() {
    assertThat(resolve(2).scheduler().sigmas()).containsExactly(1.0, 0.0);
  }

  @Test
  void aSolverWithItsOwnLevelsIsToldTheShiftAlone() throws IOException {
    set("\"use_dynamic_shifting\": true, \"use_flow_sigmas\": true");
    copy.rewrite("model_index.json", "FlowMatchEulerDiscreteScheduler", "UniPCMultistepScheduler");
    assertThat(resolve(4).scheduler().sigmas()).isNull();
    assertThat(resolve(4).scheduler().mu()).isNotNull();
  }

  @Test
  void exponentialLevelsToNoneAreRefused() throws IOException {
    set("\"use_dynamic_shifting\": false, \"use_exponential_sigmas\": true");
    assertThatThrownBy(() -> resolve(4))
        .isInstanceOf(ModelException.class)
        .hasMessageEndingWith(
            "use_exponential_sigmas needs noise levels above 0, but here they go from 1.0 to 0.0");
  }

  @Test
  void aLastLevelThatASingleStepCannotHaveIsRefused() throws IOException {
    set("\"use_dynamic_shifting\": false, \"shift_terminal\": 0.02");
    assertThatThrownBy(() -> resolve(1))
        .isInstanceOf(ArgumentException.class)
        .hasMessageEndingWith(
            "the noise levels are no numbers: shift_terminal 0.02 cannot be with"
                + " num_inference_steps 1");
    assertThat(resolve(2).scheduler().steps()).isEqualTo(2);
  }

  private void set(String settings) throws IOException {
    copy.rewrite("scheduler/scheduler_config.json", "\"use_dynamic_shifting\": false", settings);
  }

  private GenerationRequest resolve(int steps) {
    return Requests.resolve(scratch, FOX.toBuilder().numInferenceSteps(steps).build());
  }
}
