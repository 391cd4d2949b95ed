package io.xfuser.internal.runtime;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import io.xfuser.internal.plan.RankPlan;
import io.xfuser.internal.runtime.Guidance.Arithmetic;
import io.xfuser.model.GenerationRequest;
import io.xfuser.model.SourcePictures;
import io.xfuser.nn.Patchify;
import io.xfuser.scheduler.Scheduler;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Torch;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * The noise of one request, cut to what one rank needs of it. It is drawn for the whole batch of
 * all ranks, so that every layout of ranks makes the same pictures, the ones that diffusers makes
 * with {@code torch.Generator("cpu").manual_seed(seed)}, or with a list of such generators, one for
 * each picture.
 *
 * @param initial the first sample's tokens (B·F, l, c), of deviation 1
 * @param steps noise (B·F, l, c) for each step of a stochastic scheduler, else empty
 * @param encoding noise (1, c, h, w) for the latents of each picture that is encoded, else empty;
 *     the first picture's generator draws it
 */
record Noise(NDArray initial, List<NDArray> steps, List<NDArray> encoding) {
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
   * @param steps how many draws follow it in each step that adds noise; the last one counts
   * @param stepType of those
   */
  record Draws(ElementType type, List<Integer> steps, ElementType stepType) {
    Draws {
      steps = List.copyOf(steps);
    }

    /** As {@code scheduler} asks for in a run whose samples have {@code type}. */
    static Draws of(Scheduler scheduler, ElementType type, int steps) {
      IntStream each = IntStream.range(0, scheduler.stochastic() ? steps : 0);
      return new Draws(
          type, each.map(scheduler::draws).boxed().toList(), scheduler.noiseType(type));
    }
  }

  /** What {@code plan}'s rank needs. */
  static Noise draw(NDManager owner, RankPlan plan, Draws asked, Given given) {
    try (NDManager scope = owner.newSubManager()) {
      Drawn drawn = new Generators(scope, plan.request(), asked, given.latents() != null).drawn();
      List<NDArray> whole = new ArrayList<>(drawn.whole());
      if (given.latents() != null) {
        whole.add(0, Torch.cast(scope, given.latents(), asked.type()));
      }
      List<NDArray> mine = new ArrayList<>();
      for (NDArray latents : whole) {
        NDArray tokens = cut(scope, Torch.to(scope, latents, Device.cpu()), plan);
        mine.add(Torch.to(owner, tokens, given.device()));
      }
      List<NDArray> encoding = drawn.one().stream().map(x -> Torch.alias(owner, x)).toList();
      return new Noise(mine.get(0), mine.subList(1, mine.size()), encoding);
    }
  }

  /**
   * Draws.
   *
   * @param whole of all pictures, each (images, c, h, w) or (images, c, F, h, w): the first
   *     sample's, unless it was given, then those of steps
   * @param one of one picture, each (1, c, h, w): for what is encoded
   */
  private record Drawn(List<NDArray> whole, List<NDArray> one) {}

  /**
   * One generator for all pictures, or one for each.
   *
   * @param owner of what is drawn
   * @param given whether the first sample's noise is not drawn
   */
  private record Generators(
      NDManager owner, GenerationRequest request, Draws asked, boolean given) {
    Drawn drawn() {
      List<Long> seeds = request.input().seeds();
      SourcePictures pictures = request.pictures();
      if (seeds.isEmpty()) {
        return drawn(request.input().seed(), request.images(), pictures);
      }
      List<Drawn> each = new ArrayList<>(List.of(drawn(seeds.get(0), 1, pictures)));
      seeds.stream().skip(1).map(seed -> drawn(seed, 1, null)).forEach(each::add);
      List<NDArray> whole = new ArrayList<>();
      for (int i = 0; i < each.get(0).whole().size(); i++) {
        int draw = i;
        whole.add(Torch.concat(owner, each.stream().map(one -> one.whole().get(draw)).toList(), 0));
      }
      return new Drawn(whole, each.get(0).one());
    }

    /** By one generator, which draws for {@code encoded} too. */
    private Drawn drawn(long seed, int images, @Nullable SourcePictures encoded) {
      int before = encoded == null ? 0 : encoded.drawsBefore();
      int after = encoded == null ? 0 : encoded.drawsAfter();
      int initial = before + (given ? 0 : 1);
      NDList all =
          Arithmetic.PROGRAM.callList(
              owner,
              "draw",
              request.latents().noise(images).getShape(),
              asked.type().scalarType(),
              seed,
              given,
              new long[] {before, after},
              asked.steps().stream().mapToLong(Integer::longValue).toArray(),
              asked.stepType().scalarType());
      List<NDArray> one = new ArrayList<>(all.subList(0, before));
      one.addAll(all.subList(initial, initial + after));
      List<NDArray> whole = new ArrayList<>(all.subList(before, initial));
      whole.addAll(all.subList(initial + after, all.size()));
      return new Drawn(whole, one);
    }
  }

  private static NDArray cut(NDManager owner, NDArray latents, RankPlan plan) {
    try (NDManager scope = owner.newSubManager()) {
      NDArray images = Torch.slice(scope, latents, 0, plan.images().from(), plan.images().to());
      return own(owner, plan.request().latents().tokens(scope, images), plan);
    }
  }

  /** Those of tokens (B, L, c) at positions that {@code plan}'s rank has, (B, l, c). */
  static NDArray own(NDManager owner, NDArray tokens, RankPlan plan) {
    return Patchify.select(owner, tokens, plan.denoised().positions(plan.shard()));
  }
}
