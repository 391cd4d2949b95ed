package io.xfuser.pipeline;

import ai.djl.ndarray.NDManager;
import io.xfuser.pipeline.RankResult.Decoded;
import io.xfuser.torchscript.DeviceClock.Mark;
import io.xfuser.torchscript.Torch;
import io.xfuser.trace.Activity;
import io.xfuser.transformer.Shared;

/**
 * The way through one request of a rank that does nothing but decode: it loads neither text encoder
 * nor transformer.
 */
final class VaeRank {
  private final RankRun run;
  private final RankDecoding decoding;
  private final StepTicks ticks;
  private final int steps;
  private final String device;

  VaeRank(PlacedPipeline<?> pipeline, GenerationRequest request, RankRun run) {
    this.run = run;
    this.decoding = RankDecoding.of(run, pipeline, request);
    this.ticks = StepTicks.of(run.world(), decoding.ranks());
    this.steps = request.calls();
    this.device = Torch.name(pipeline.placement().device());
  }

  /** Runs the request; all ranks return together. */
  RankResult run() {
    try (NDManager scope = Torch.newManager()) {
      Decoded decoded;
      if (decoding.takesPart()) {
        decoded = decode(scope);
      } else {
        awaitSteps(scope);
        decoded = Decoded.NOTHING;
      }
      run.memory().look();
      RankReport.Held held =
          new RankReport.Held(0, 0, new TensorGauge(scope), device, run.memory().peak());
      return run.result(scope, decoded, held);
    }
  }

  /** Loads the decoder while others denoise. */
  private Decoded decode(NDManager scope) {
    run.activity("loading the VAE");
    Mark start = run.mark();
    Shared.Lease<VaeDecoder> loaded =
        run.trace()
            .during(
                Activity.LOAD, () -> run.loaded(Progress.Phase.LOADING_DECODER, decoding.vae()));
    try (loaded) {
      run.times().loaded(start);
      awaitSteps(scope);
      run.activity("waiting for latents");
      boolean leads = run.world().rank() == decoding.ranks().alone().get(0);
      return leads ? decoding.finishAll(scope) : decoding.follow(scope);
    }
  }

  private void awaitSteps(NDManager scope) {
    for (int t = 0; t < steps; t++) {
      run.activity("waiting for step " + (t + 1) + " of " + steps);
      ticks.await(scope);
    }
  }
}
