package io.xfuser.models.internal.scheduler;

import static org.assertj.core.api.Assertions.assertThat;

import io.xfuser.scheduler.Scheduler;
import io.xfuser.scheduler.SchedulerRequest;
import io.xfuser.torchscript.ElementType;
import io.xfuser.weights.ComponentConfig;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

class LoopVariantsTest {
  @Test
  void whatALoopDoesOtherwiseChangesNeitherNameNorNoise() {
    ComponentConfig config =
        ComponentConfig.parse("here", "{\"algorithm_type\": \"sde-dpmsolver++\"}");
    Scheduler plain = new DpmSolverMultistep(new SchedulerSettings(config), SchedulerRequest.of(1));
    List<UnaryOperator<Scheduler>> variants =
        List.of(
            LoopVariants::originalInOneStep,
            LoopVariants::unscaled,
            LoopVariants::fromModelInput,
            scheduler -> LoopVariants.unscaled(LoopVariants.originalInOneStep(scheduler)));
    for (UnaryOperator<Scheduler> variant : variants) {
      Scheduler changed = variant.apply(plain);
      assertThat(changed.name()).isEqualTo("DpmSolverMultistep");
      assertThat(changed.stochastic()).isTrue();
      assertThat(changed.noiseType(ElementType.BFLOAT16)).isEqualTo(ElementType.FLOAT32);
      assertThat(changed.timesteps()).isEqualTo(plain.timesteps());
    }
  }
}
