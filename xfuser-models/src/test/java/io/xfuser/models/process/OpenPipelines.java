package io.xfuser.models.process;

import io.xfuser.config.EngineConfig;
import io.xfuser.config.ModelConfig;
import io.xfuser.pipeline.DiffusionPipeline;
import io.xfuser.torchscript.ElementType;
import java.util.HashMap;
import java.util.Map;

/** Pipelines that stay open from one request to the next. */
final class OpenPipelines implements AutoCloseable {
  private final Map<Key, DiffusionPipeline> open = new HashMap<>();

  private record Key(ModelConfig model, ElementType type) {}

  /** The model of {@code engine} in its element type. */
  DiffusionPipeline of(EngineConfig engine) {
    return open.computeIfAbsent(
        new Key(engine.model(), engine.runtime().dtype()),
        key -> DiffusionPipeline.fromPretrained(key.model(), engine.runtime()));
  }

  @Override
  public void close() {
    open.values().forEach(DiffusionPipeline::close);
  }
}
