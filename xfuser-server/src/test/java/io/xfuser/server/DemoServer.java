package io.xfuser.server;

import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.pipeline.DiffusionPipeline;
import io.xfuser.pipeline.XDiTParallel;
import java.nio.file.Path;

/** A server of the demo model, small pictures of which take moments. */
final class DemoServer {
  static final Path MODEL = Path.of("../xfuser-examples/demo-model");

  private DemoServer() {}

  /** One rank of a pipeline that all tests share, which stays open as long as the JVM. */
  static XDiTParallel ranks() {
    return ranks(EngineConfig.of(MODEL));
  }

  /** Ranks of the same pipeline in another layout. */
  static XDiTParallel ranks(EngineConfig engine) {
    return XDiTParallel.inProcess(Opened.PIPELINE, engine);
  }

  /** When it is first asked for. */
  private static final class Opened {
    static final DiffusionPipeline PIPELINE =
        DiffusionPipeline.fromPretrained(EngineConfig.of(MODEL));
  }

  static ImageServer.Builder of(XDiTParallel ranks) {
    return ImageServer.builder().model("demo", ranks).port(0);
  }

  /** A body for a small picture of 2 steps. */
  static String body(long seed) {
    return "{\"prompt\":\"a fox\",\"seed\":%d,\"num_inference_steps\":2,\"size\":\"32x32\"}"
        .formatted(seed);
  }

  /** What {@link #body} asks for. */
  static InputConfig input(long seed) {
    return InputConfig.builder("a fox").seed(seed).numInferenceSteps(2).size(32, 32).build();
  }
}
