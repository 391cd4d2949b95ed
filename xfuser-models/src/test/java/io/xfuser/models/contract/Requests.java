package io.xfuser.models.contract;

import io.xfuser.config.InputConfig;
import io.xfuser.config.ModelConfig;
import io.xfuser.pipeline.DiffusionPipeline;
import io.xfuser.pipeline.GenerationRequest;
import java.nio.file.Path;

/** What pipelines make of a user's input. */
public final class Requests {
  private Requests() {}

  /** The request that the pipeline in {@code directory} makes of {@code input}, or its refusal. */
  public static GenerationRequest resolve(Path directory, InputConfig input) {
    try (DiffusionPipeline pipeline = DiffusionPipeline.fromPretrained(ModelConfig.of(directory))) {
      return pipeline.model().resolve(input);
    }
  }
}
