package io.xfuser.pipeline;

import static org.assertj.core.api.Assertions.assertThat;

import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.config.ModelConfig;
import io.xfuser.config.ModelName;
import io.xfuser.config.RuntimeConfig;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A picture tells the model that drew it. */
class ToldModelTest {
  private static final Path DIT = Path.of("src/test/resources/fixtures/dit_tiny");

  @Test
  void aPictureNamesTheModelThatWasOpenedNotTheEngines() {
    InputConfig fish = InputConfig.builder().classLabels(List.of(1)).numInferenceSteps(1).build();
    try (DiffusionPipeline pipeline = DiffusionPipeline.fromPretrained(EngineConfig.of(DIT));
        XDiTParallel ranks =
            XDiTParallel.inProcess(pipeline, EngineConfig.of(Path.of("/models/FLUX.1-dev")));
        Generation generation = ranks.generate(fish)) {
      assertThat(generation.provenance(0).get("parameters"))
          .contains("Model: dit_tiny")
          .doesNotContain("FLUX");
    }
  }

  @Test
  void aModelOfTheHubIsOpenedWhereItIsAndKeepsItsName() {
    ModelConfig named = ModelConfig.builder(ModelName.of("org/name@v1")).build().in(DIT);
    try (DiffusionPipeline pipeline =
        DiffusionPipeline.fromPretrained(named, RuntimeConfig.builder().build())) {
      EngineConfig told = pipeline.drawing(EngineConfig.of(Path.of("/models/FLUX.1-dev")));
      assertThat(told.model().title()).isEqualTo("org/name@v1");
    }
  }
}
