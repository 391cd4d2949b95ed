package io.xfuser.internal.plan;

import ai.djl.Device;
import io.xfuser.internal.parallel.MeshAxis;
import io.xfuser.nn.Range;
import io.xfuser.torchscript.Torch;
import io.xfuser.transformer.TransformerSpec;

/** A rank's plan, told to a person. */
record RankLine(RankPlan plan) {
  /** Who owns what, and where it is computed, in one line for a person. */
  String line(TransformerSpec<?> spec, Device device) {
    Range heads =
        plan.share()
            .of(spec.heads())
            .shard(
                plan.mesh().coordinate(plan.rank(), MeshAxis.ULYSSES),
                plan.mesh().degree(MeshAxis.ULYSSES));
    return String.format(
        "rank %d on %s: blocks %s of %d, heads %s of %d, %d of %d tokens in %s, pictures %s of"
            + " %d%s",
        plan.rank(),
        Torch.name(device),
        inclusive(plan.blocks()),
        spec.depth(),
        inclusive(heads),
        spec.heads(),
        plan.layout().length(plan.layout().all(), plan.shard()),
        plan.layout().tokens(),
        patches(),
        inclusive(plan.images()),
        plan.request().images(),
        prompts());
  }

  private String patches() {
    int ranks = plan.mesh().degree(MeshAxis.DISTRIFUSION);
    return ranks == 1
        ? plan.layout().patches() + " patches"
        : "patch " + plan.mesh().coordinate(plan.rank(), MeshAxis.DISTRIFUSION) + " of " + ranks;
  }

  private String prompts() {
    if (plan.mesh().degree(MeshAxis.CFG) == 1) {
      return "";
    }
    return plan.mesh().coordinate(plan.rank(), MeshAxis.CFG) == 0
        ? ", negative prompts"
        : ", positive prompts";
  }

  private static String inclusive(Range range) {
    return range.from() + "–" + (range.to() - 1);
  }
}
