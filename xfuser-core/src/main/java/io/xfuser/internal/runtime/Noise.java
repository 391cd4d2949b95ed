package io.xfuser.internal.runtime;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import io.xfuser.internal.plan.RankPlan;
import io.xfuser.internal.runtime.Guidance.Arithmetic;
import io.xfuser.model.GenerationRequest;
import io.xfuser.nn.Patchify;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Torch;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The noise of one request, cut to what one rank needs of it. It is drawn for the whole batch of
 * all ranks, so that every layout of ranks makes the same pictures, the ones that diffusers makes
 * with {@code torch.Generator("cpu").manual_seed(seed)}, or with a list of such generators, one for
 * each picture.
 *
 * @param initial the first sample's tokens (B·F, l, c), of deviation 1
 * @param steps noise (B·F, l, c) for each step of a stochastic scheduler, else empty
 */
record Noise(NDArray initial, List<NDArray> steps) {
  /**
   * What the caller and the rank bring.
   *
   * @param latents in the place of the first draw, null for none
   * @param device where the rank computes; noise is drawn on the CPU whatever it is, because GPUs
   *     draw other numbers from the same seed
   */
  record Given(@Nullable NDArray latents, Device device) {}

  /**
   * How much is drawn, and in which element types.
   *
   * @param type of the first sample
   * @param steps how many draws follow it, one per step that adds noise
   * @param stepType of those
   */
  record Draws(ElementType type, int steps, ElementType stepType) {}

  /** What {@code plan}'s rank needs. */
  static Noise draw(NDManager owner, RankPlan plan, Draws asked, Given given) {
    GenerationRequest request = plan.request();
    try (NDManager scope = owner.newSubManager()) {
      List<NDArray> all = new Generators(scope, request, asked, given.latents() != null).draw();
      if (given.latents() != null) {
        all.add(0, given.latents());
      }
      List<NDArray> mine = new ArrayList<>();
      for (NDArray latents : all) {
        NDArray tokens = cut(scope, Torch.to(scope, latents, Device.cpu()), plan);
        mine.add(Torch.to(owner, tokens, given.device()));
      }
      return new Noise(mine.get(0), mine.subList(1, mine.size()));
    }
  }

  /**
   * One generator for all pictures, or one for each.
   *
   * @param owner of what is drawn
   * @param given whether the first sample's noise is not drawn
   */
  private record Generators(
      NDManager owner, GenerationRequest request, Draws asked, boolean given) {
    /** The draws, each (images, c, h, w) or (images, c, F, h, w). */
    List<NDArray> draw() {
      List<Long> seeds = request.input().seeds();
      if (seeds.isEmpty()) {
        return new ArrayList<>(draw(request.input().seed(), request.images()));
      }
      List<NDList> pictures = seeds.stream().map(seed -> draw(seed, 1)).toList();
      List<NDArray> all = new ArrayList<>();
      for (int i = 0; i < pictures.get(0).size(); i++) {
        int draw = i;
        all.add(Torch.concat(owner, pictures.stream().map(one -> one.get(draw)).toList(), 0));
      }
      return all;
    }

    private NDList draw(long seed, int images) {
      return Arithmetic.PROGRAM.callList(
          owner,
          "draw",
          request.latents().noise(images).getShape(),
          asked.type().scalarType(),
          seed,
          given,
          asked.steps(),
          asked.stepType().scalarType());
    }
  }

  private static NDArray cut(NDManager owner, NDArray latents, RankPlan plan) {
    try (NDManager scope = owner.newSubManager()) {
      NDArray images = Torch.slice(scope, latents, 0, plan.images().from(), plan.images().to());
      NDArray tokens = plan.request().latents().tokens(scope, images); // (B·F, L, c)
      return Patchify.select(owner, tokens, plan.denoised().positions(plan.shard()));
    }
  }
}
