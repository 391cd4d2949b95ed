package io.xfuser.models.internal.vae;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import io.xfuser.models.internal.vae.GroupNorm.Groups;
import io.xfuser.models.internal.weights.Weights;
import io.xfuser.nn.Strip;
import io.xfuser.torchscript.Torch;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * Group normalisation of frames that pass together, then a factor and a sum that the latents give
 * which each position is made of, then SiLU (arXiv 2209.09002; diffusers' CogVideoXSpatialNorm3D).
 * What latents give is computed where they are, and not for each position: it looks at nothing
 * else.
 *
 * @param norm over all positions of the frames
 * @param weights conv: factors and sums (2·C, c, 1, 1), (2·C)
 */
record SpatialNorm(Layer norm, Map<String, NDArray> weights) implements Layer {
  static SpatialNorm read(
      NDManager owner, Weights weights, Groups groups, int channels, int latents) {
    List<Weights> both = Stream.of("conv_y.conv.", "conv_b.conv.").map(weights::at).toList();
    try (NDManager scope = owner.newSubManager()) {
      NDList kernels = new NDList();
      NDList biases = new NDList();
      for (Weights one : both) {
        NDArray stored = one.get(scope, "weight", channels, latents, 1, 1, 1);
        kernels.add(VAE.call(scope, "kernel_of_first_frame", stored)); // (C, c, 1, 1)
        biases.add(one.get(scope, "bias", channels));
      }
      return new SpatialNorm(
          new OverFrames(groups.read(owner, weights.at("norm_layer."), channels, false)),
          Map.of(
              "conv.weight", Torch.concat(owner, kernels, 0),
              "conv.bias", Torch.concat(owner, biases, 0)));
    }
  }

  @Override
  public NDArray forward(NDManager owner, NDArray x, Strip strip) {
    try (NDManager scope = owner.newSubManager()) {
      NDArray latents = ((VideoStrip) strip).entered(); // (T, c, h, w)
      NDArray by = CausalConvolution.CAUSAL.call(scope, "conditions", latents, weights);
      NDArray normed = norm.forward(scope, x, strip); // (F, C, H, W)
      return CausalConvolution.CAUSAL.call(owner, "conditioned_", normed, by);
    }
  }
}
