package io.xfuser.internal.runtime;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.internal.runtime.Guidance.Arithmetic;
import io.xfuser.nn.TokenRange;
import io.xfuser.scheduler.Sample;
import io.xfuser.scheduler.Scheduler;
import io.xfuser.torchscript.Torch;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * With what the denoising of one rank's tokens begins, and what accompanies them. All of it is per
 * token, so that any shard and any patch of it can be cut out.
 *
 * @param sample the first, of tokens (B·F, l, c)
 * @param steps noise (B·F, l, c) for each step of a stochastic scheduler, else empty
 * @param kept the picture that samples are put back to, null where there is none
 * @param beside what the transformer sees beside each token (1 or B, l, e), null for nothing
 */
record Start(Sample sample, List<NDArray> steps, @Nullable Kept kept, @Nullable NDArray beside) {
  static Start of(Noise noise) {
    return new Start(Sample.of(noise.initial()), noise.steps(), null, null);
  }

  /** The same, begun with {@code other}. */
  Start from(Sample other) {
    return new Start(other, steps, kept, beside);
  }

  /** What the transformer is given for {@code sample} (B, l', c), the tokens of {@code local}. */
  NDArray input(NDManager owner, NDArray sample, TokenRange local) {
    if (beside == null) {
      return Torch.alias(owner, sample);
    }
    try (NDManager scope = owner.newSubManager()) {
      NDArray more = Torch.slice(scope, beside, 1, local.from(), local.to());
      return Arithmetic.PROGRAM.call(owner, "beside", sample, more); // (B, l', c + e)
    }
  }

  /** The sample after a step, {@code local} of the tokens, with what is kept put back. */
  Sample after(NDManager owner, Scheduler scheduler, Sample sample, TokenRange local) {
    return kept == null ? sample : kept.put(owner, scheduler, sample, local);
  }

  /** A picture without noise (B, l', c), {@code local} of the tokens, with what is kept. */
  NDArray shown(NDManager owner, NDArray tokens, TokenRange local) {
    return kept == null ? tokens : kept.clean(owner, tokens, local);
  }

  /**
   * A picture of which a part stays: after each step it is in the sample again, as noisy as the
   * rest of it, or without noise. Source: the loops of diffusers' inpainting pipelines, and of
   * those of videos whose tokens have a timestep each.
   *
   * @param mask 1 where something new is drawn, 0 where the picture stays, (1, l, c)
   * @param picture its latents (1, l, c)
   * @param noise what the first sample was made with, (B, l, c); null = the picture has none
   */
  record Kept(NDArray mask, NDArray picture, @Nullable NDArray noise) {
    private Sample put(NDManager owner, Scheduler scheduler, Sample sample, TokenRange local) {
      try (NDManager scope = owner.newSubManager()) {
        NDArray clean = cut(scope, picture, local);
        NDArray noisy = // (1 or B, l', c)
            noise == null || sample.step() == scheduler.timesteps().length
                ? clean
                : scheduler.noised(scope, clean, cut(scope, noise, local), sample.step());
        return new Sample(
            put(owner, noisy, sample.tokens(), local), sample.history(), sample.step());
      }
    }

    /** {@code tokens} (B, l', c), {@code local} of them, with the picture where it stays. */
    NDArray clean(NDManager owner, NDArray tokens, TokenRange local) {
      try (NDManager scope = owner.newSubManager()) {
        return put(owner, cut(scope, picture, local), tokens, local);
      }
    }

    /** {@code tokens} with {@code there} where the picture stays. */
    private NDArray put(NDManager owner, NDArray there, NDArray tokens, TokenRange local) {
      try (NDManager scope = owner.newSubManager()) {
        return Arithmetic.PROGRAM.call(owner, "keep", tokens, there, cut(scope, mask, local));
      }
    }

    private static NDArray cut(NDManager owner, NDArray x, TokenRange local) {
      return Torch.slice(owner, x, 1, local.from(), local.to());
    }
  }
}
