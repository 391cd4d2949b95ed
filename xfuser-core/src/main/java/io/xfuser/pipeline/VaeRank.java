package io.xfuser.pipeline;

import ai.djl.ndarray.NDManager;
import io.xfuser.config.EngineConfig;
import io.xfuser.config.OutputType;
import io.xfuser.parallel.World;
import io.xfuser.pipeline.RankResult.Decoded;
import io.xfuser.torchscript.Torch;
import io.xfuser.trace.Trace;

/**
 * The way through one request of a rank that does nothing but decode: it loads neither text encoder
 * nor transformer.
 */
final class VaeRank {
  private final RankRun run;
  private final RankDecoding decoding;
  private final StepTicks ticks;
  private final GenerationRequest request;
  private final String device;

  VaeRank(
      PlacedPipeline<?> pipeline,
      EngineConfig engine,
      GenerationRequest request,
      World world,
      Trace trace) {
    this.run = RankRun.of(pipeline, engine, world, trace);
    this.decoding = RankDecoding.of(run, pipeline, request);
    this.ticks = StepTicks.of(run.world(), decoding.ranks());
    this.request = request;
    this.device = Torch.name(pipeline.placement().device());
  }

  /** Runs the request; all ranks return together. */
  RankResult run() {
    try (NDManager scope = Torch.newManager()) {
      for (int t = 0; t < request.scheduler().steps(); t++) {
        run.activity("waiting for step " + (t + 1) + " of " + request.scheduler().steps());
        ticks.await(scope);
      }
      boolean leads = run.world().rank() == decoding.ranks().alone().get(0);
      run.activity("waiting for latents");
      Decoded decoded =
          leads && request.input().outputType() != OutputType.LATENT
              ? decoding.finishAll(scope)
              : decoding.follow(scope);
      run.memory().look();
      RankReport.Held held =
          new RankReport.Held(0, 0, new TensorGauge(scope), device, run.memory().peak());
      return run.result(scope, decoded, held);
    }
  }
}
