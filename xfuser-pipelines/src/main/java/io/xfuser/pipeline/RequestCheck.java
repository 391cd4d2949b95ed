package io.xfuser.pipeline;

import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.config.Settings.StepCache;
import io.xfuser.failure.ArgumentException;
import io.xfuser.internal.cache.CachePolicy;
import io.xfuser.internal.plan.RequestPlan;
import io.xfuser.internal.runtime.Residents;
import io.xfuser.model.GenerationRequest;
import io.xfuser.model.GivenTensors;
import io.xfuser.scheduler.Scheduler;
import java.util.Objects;

/** Judges requests before anything is computed: what ranks could not do is refused here. */
record RequestCheck(DiffusionPipeline pipeline, EngineConfig engine, LocalRanks ranks) {
  /** Who does what, with every default filled in. */
  RequestPlan plan(InputConfig input, GivenTensors given) {
    Objects.requireNonNull(input, "input");
    GenerationRequest request = pipeline.model().resolve(given.complete(input));
    given.check(request);
    Scheduler scheduler = pipeline.model().scheduler(request.scheduler());
    RequestPlan plan =
        RequestPlan.of(engine, pipeline.spec(), request.withCalls(scheduler.timesteps().length));
    checkCache(plan.request());
    checkPreview(plan.request());
    int draws = (given.latents() == null ? 1 : 0) + (scheduler.stochastic() ? plan.steps() : 0);
    MemoryCheck.require(plan, pipeline, ranks, draws);
    return Residents.chosen(plan, pipeline.sizes(), ranks.numbers())
        .with(pipeline.loras().of(input));
  }

  private void checkPreview(GenerationRequest request) {
    boolean asked = !Integer.valueOf(0).equals(request.input().get(InputConfig.PREVIEW_EVERY));
    if (asked && !pipeline.model().colors().known()) {
      throw new ArgumentException(
          ("%s: which colours the latents of this autoencoder have is not known; its settings can"
                  + " say so as latent_rgb_factors")
              .formatted(InputConfig.PREVIEW_EVERY));
    }
  }

  private void checkCache(GenerationRequest request) {
    CachePolicy.of(request, pipeline.model().calibration());
    if (request.input().cache() == StepCache.TEACACHE && !pipeline.spec().modulates()) {
      throw new ArgumentException(
          "%s compares what a step modulates, which %s does not say: take fbcache"
              .formatted(InputConfig.CACHE.with(StepCache.TEACACHE), pipeline.model().name()));
    }
  }
}
