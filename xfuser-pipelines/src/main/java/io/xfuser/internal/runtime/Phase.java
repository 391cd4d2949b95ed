package io.xfuser.internal.runtime;

import io.xfuser.internal.plan.RankPlan;
import io.xfuser.model.GenerationRequest.GuidanceOptions;
import io.xfuser.model.PipelineModel;
import io.xfuser.model.PipelineModel.Handover;
import java.util.ArrayList;
import java.util.List;

/**
 * Steps one after another that one transformer takes.
 *
 * @param transformer its number
 * @param plan the rank's, for these steps
 * @param guidance how prompts are weighed in them
 */
record Phase(int transformer, RankPlan plan, GuidanceOptions guidance) {
  /** Those of {@code plan}, at the timesteps of all steps of the request. */
  static List<Phase> of(PipelineModel<?> model, RankPlan plan, double[] timesteps) {
    List<Handover> handovers = model.handovers(plan.request());
    List<Phase> phases = new ArrayList<>();
    int from = plan.from();
    for (int end = from + 1; end <= plan.to(); end++) {
      int transformer = transformer(handovers, timesteps[from]);
      if (end == plan.to() || transformer(handovers, timesteps[end]) != transformer) {
        GuidanceOptions guidance = plan.request().guidance();
        phases.add(
            new Phase(
                transformer,
                plan.between(from, end),
                transformer == 0 ? guidance : after(guidance, handovers.get(transformer - 1))));
        from = end;
      }
    }
    return phases;
  }

  private static GuidanceOptions after(GuidanceOptions guidance, Handover handover) {
    return new GuidanceOptions(
        handover.guidance(),
        guidance.rescale(),
        guidance.condition(),
        guidance.layers(),
        guidance.keepsLengths(),
        guidance.bounds(),
        guidance.course());
  }

  private static int transformer(List<Handover> handovers, double timestep) {
    return (int) handovers.stream().filter(after -> timestep < after.timestep()).count();
  }
}
