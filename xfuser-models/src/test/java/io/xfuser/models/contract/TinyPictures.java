package io.xfuser.models.contract;

import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.config.OutputType;
import io.xfuser.config.ParallelConfig;
import io.xfuser.pipeline.DiffusionPipeline;
import io.xfuser.pipeline.Generation;
import io.xfuser.pipeline.XDiTParallel;
import io.xfuser.testing.Pixels;

/** A tiny pipeline, and what is asked of it. */
record TinyPictures(String model, EngineConfig engine, DiffusionPipeline pipeline)
    implements AutoCloseable {
  static final int STEPS = 2;

  TinyPictures(String model) {
    this(model, EngineConfig.of(Requests.directory(model)));
  }

  TinyPictures(String model, EngineConfig engine) {
    this(model, engine, DiffusionPipeline.fromPretrained(engine.model()));
  }

  XDiTParallel ranks(ParallelConfig layout) {
    return XDiTParallel.inProcess(
        pipeline, engine.toBuilder().parallel(layout).runtime(r -> r.warmupSteps(1)).build());
  }

  Generation drawn(ParallelConfig layout) {
    return drawn(layout, STEPS);
  }

  Generation drawn(ParallelConfig layout, int steps) {
    InputConfig input =
        Requests.two(model).toBuilder()
            .numInferenceSteps(steps)
            .outputType(OutputType.LATENT)
            .build();
    try (XDiTParallel ranks = ranks(layout)) {
      return ranks.generate(input);
    }
  }

  float[] pixels(ParallelConfig layout) {
    return pixels(layout, STEPS);
  }

  float[] pixels(ParallelConfig layout, int steps) {
    try (Generation generation = drawn(layout, steps)) {
      return Pixels.floats(generation.tensor());
    }
  }

  @Override
  public void close() {
    pipeline.close();
  }
}
