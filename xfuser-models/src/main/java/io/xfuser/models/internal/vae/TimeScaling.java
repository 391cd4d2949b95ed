package io.xfuser.models.internal.vae;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.models.internal.vae.Convolution.Channels;
import io.xfuser.models.internal.weights.Weights;
import io.xfuser.nn.Strip;
import io.xfuser.torchscript.Torch;
import java.util.Map;

/** Layers that make two frames of each, or one of two. The first frame of a video stays one. */
final class TimeScaling {
  private TimeScaling() {}

  /**
   * Reads one that makes two frames of one: a convolution over frames has as many channels for each
   * of the two. It does not see the first frame.
   */
  static Layer doubling(NDManager owner, Weights weights, int width) {
    Channels both = new Channels(width, 2 * width);
    CausalConvolution body = CausalConvolution.overFrames(owner, weights, both);
    return (to, x, strip) -> {
      if (VideoStrip.isFirst(strip)) {
        return Torch.alias(to, x);
      }
      try (NDManager scope = to.newSubManager()) {
        NDArray twice = body.forward(scope, x, strip); // (F, 2·C, H, W)
        return CausalConvolution.CAUSAL.call(to, "doubled", twice); // (2·F, C, H, W)
      }
    };
  }

  /** Reads one that makes a frame of two and the one before them. */
  static Layer halving(NDManager owner, Weights weights, int width) {
    try (NDManager scope = owner.newSubManager()) {
      NDArray stored = weights.get(scope, "weight", width, width, 3, 1, 1);
      return new Halving(
          Map.of(
              "conv.weight", CausalConvolution.CAUSAL.call(owner, "kernel_over_frames", stored),
              "conv.bias", weights.get(owner, "bias", width)));
    }
  }

  private record Halving(Map<String, NDArray> weights) implements Layer {
    @Override
    public NDArray forward(NDManager owner, NDArray x, Strip strip) {
      VideoStrip video = (VideoStrip) strip;
      try {
        return VideoStrip.isFirst(strip)
            ? Torch.alias(owner, x)
            : CausalConvolution.CAUSAL.call( // (F/2, C, H, W)
                owner, "halved_frames", x, video.before(this).get(0), weights);
      } finally {
        video.keep(this, x, 1);
      }
    }
  }
}
