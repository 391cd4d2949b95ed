package io.xfuser.models.contract;

import io.xfuser.config.EngineConfig;
import io.xfuser.config.ModelConfig;
import io.xfuser.pipeline.DiffusionPipeline;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInstance;

/** Tests of one pipeline, which is opened once for all of them. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
abstract class OpenedOnce {
  /** One rank with the model's own settings. */
  EngineConfig engine = EngineConfig.of(Path.of("."));

  DiffusionPipeline pipeline;

  /** The pipeline's directory. */
  protected abstract Path directory();

  /** The model in it, with what else it is opened with. */
  protected ModelConfig model() {
    return ModelConfig.builder(directory()).build();
  }

  @BeforeAll
  void open() {
    engine = EngineConfig.builder(model()).build();
    pipeline = DiffusionPipeline.fromPretrained(engine.model());
  }

  @AfterAll
  void close() {
    pipeline.close();
  }
}
