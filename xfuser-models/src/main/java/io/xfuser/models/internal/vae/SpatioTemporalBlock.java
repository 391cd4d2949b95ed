package io.xfuser.models.internal.vae;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.models.internal.vae.Convolution.Channels;
import io.xfuser.models.internal.vae.Convolution.Kernel;
import io.xfuser.models.internal.vae.GroupNorm.Groups;
import io.xfuser.models.internal.vae.ResnetBlock.Sight;
import io.xfuser.models.internal.weights.Weights;
import io.xfuser.nn.Strip;

/**
 * A residual block over each frame, then one over time, mixed by a learned weight σ(m): {@code (1 −
 * σ(m))·s + σ(m)·t}. diffusers' SpatioTemporalResBlock as its temporal decoder builds it, with the
 * merge strategy "learned" and the switched mix.
 */
final class SpatioTemporalBlock implements Layer {
  private static final double TEMPORAL_EPSILON = 1e-5;

  private final Layer spatial;
  private final Layer temporal;
  private final NDArray mixFactor; // (1)

  /** Reads {@code spatial_res_block}, {@code temporal_res_block}, {@code time_mixer}. */
  SpatioTemporalBlock(NDManager owner, Weights weights, Channels channels, Groups groups) {
    Channels kept = new Channels(channels.out(), channels.out());
    Sight frame = new Sight(groups, Kernel.SQUARE);
    Sight time = new Sight(new Groups(groups.count(), TEMPORAL_EPSILON), Kernel.FRAMES);
    spatial = new ResnetBlock(owner, weights.at("spatial_res_block."), channels, frame);
    temporal =
        new OverFrames(new ResnetBlock(owner, weights.at("temporal_res_block."), kept, time));
    mixFactor = weights.get(owner, "time_mixer.mix_factor", 1);
  }

  /** {@code x} is (F, C, H, W), the frames of one video; the result is (F, O, H, W). */
  @Override
  public NDArray forward(NDManager owner, NDArray x, Strip strip) {
    try (NDManager scope = owner.newSubManager()) {
      NDArray still = spatial.forward(scope, x, strip); // (F, O, H, W)
      NDArray moving = temporal.forward(scope, still, strip); // (F, O, H, W)
      return VAE.call(owner, "mix", still, moving, mixFactor);
    }
  }
}
