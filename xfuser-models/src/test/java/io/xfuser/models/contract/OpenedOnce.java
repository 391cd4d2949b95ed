package io.xfuser.models.contract;

import io.xfuser.config.EngineConfig;
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

  @BeforeAll
  void open() {
    engine = EngineConfig.of(directory());
    pipeline = DiffusionPipeline.fromPretrained(engine.model());
  }

  @AfterAll
  void close() {
    pipeline.close();
  }
}
