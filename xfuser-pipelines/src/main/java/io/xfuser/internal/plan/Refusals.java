package io.xfuser.internal.plan;

import io.xfuser.config.Setting;
import io.xfuser.failure.ArgumentException;
import io.xfuser.internal.parallel.MeshAxis;
import io.xfuser.model.GenerationRequest;
import java.util.Optional;

/** What a request asks for that the layout of {@code plan} cannot have. */
record Refusals(RankPlan plan) {
  /** Throws a sentence, with the numbers, if there is anything. */
  void check() {
    partsOfPredictions();
    layerGuidance();
  }

  private GenerationRequest request() {
    return plan.request();
  }

  private void partsOfPredictions() {
    Optional<Setting<?>> setting = request().guidance().needingAll();
    if (setting.isPresent() && plan.stale() && plan.layout().patches() > 1) {
      throw new ArgumentException(
          "%s needs the whole prediction, but %s has %d patches after %d of %d steps"
              .formatted(
                  setting.get(),
                  plan.displaced() ? "DistriFusion on one rank" : "PipeFusion",
                  plan.layout().patches(),
                  plan.warmupSteps(),
                  plan.steps()));
    }
  }

  private void layerGuidance() {
    if (request().guidance().layers().blocks().isEmpty()) {
      return;
    }
    if (!request().guided()) {
      throw new ArgumentException(
          "skip_guidance_layers needs guidance, but guidance_scale is "
              + request().guidance().scale());
    }
    int ranks = plan.mesh().degree(MeshAxis.DISTRIFUSION);
    int stages = plan.stages().size();
    int patches = plan.layout().patches();
    if (stages > 1 || patches > 1 || ranks > 1) {
      throw new ArgumentException(
          "skip_guidance_layers needs all blocks and the whole picture in each step, but there are %d"
                  .formatted(stages)
              + " pipeline stages and %d patches".formatted(Math.max(patches, ranks)));
    }
  }
}
