package io.xfuser.models.internal.zimage;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.models.internal.parts.LinearEmbedding;
import io.xfuser.models.internal.parts.SizedTransformer;
import io.xfuser.models.internal.weights.WeightMap;
import io.xfuser.models.internal.weights.Weights;
import io.xfuser.torchscript.Program;
import io.xfuser.torchscript.TensorMap;
import io.xfuser.transformer.Block;
import io.xfuser.transformer.Conditioner;
import io.xfuser.transformer.Embedding;
import io.xfuser.transformer.Head;
import io.xfuser.transformer.Hidden;
import io.xfuser.transformer.TransformerSpec.Modulations;
import io.xfuser.weights.Share;

/**
 * The transformer of Z-Image ({@code ZImageTransformer2DModel} in diffusers): blocks that refine
 * the image, then blocks of image and text, numbered in this order. Those that refine the text
 * belong to the conditioner, as it is the same in every step.
 *
 * @param config its dimensions
 * @param weights its tensors, by diffusers' names
 */
record ZImage(ZImageConfig config, Weights weights)
    implements SizedTransformer<ZImageConditioning> {
  static final Program PROGRAM = Program.load(ZImage.class, "zimage.py");

  /** The module of the only size of tokens. */
  private static final String SIZE = "2-1";

  /** Checks that what the model uses are floats, and names the rest. */
  ZImage {
    String block =
        "(attention\\.(to_[qkv]|to_out\\.0|norm_[qk])|feed_forward\\.w[123]"
            + "|(attention|ffn)_norm[12])\\.weight|adaLN_modulation\\.0\\.(weight|bias)";
    String known =
        "(noise_refiner|context_refiner|layers)\\.\\d+\\.(%s)".formatted(block)
            + "|(t_embedder\\.mlp\\.[02]|cap_embedder\\.1|all_x_embedder\\.2-1"
            + "|all_final_layer\\.2-1\\.(linear|adaLN_modulation\\.1))\\.(weight|bias)"
            + "|cap_embedder\\.0\\.weight|(x|cap)_pad_token";
    weights.expect(known);
  }

  @Override
  public boolean valuesFirst() {
    return true;
  }

  @Override
  public Modulations modulations(int index) {
    return Modulations.shared(4);
  }

  @Override
  public Block<ZImageConditioning> block(int index, Share share) {
    int layer = index - config.refiners();
    String name = layer < 0 ? "noise_refiner." + index : "layers." + layer;
    return ZImageBlock.load(config, layer < 0, weights.at(name + "."), share);
  }

  @Override
  public Embedding<ZImageConditioning> embedding() {
    return new LinearEmbedding<>(
        PROGRAM,
        WeightMap.of(
            weights, w -> w.linear("all_x_embedder." + SIZE, config.width(), config.tokenWidth())));
  }

  @Override
  public Head<ZImageConditioning> head() {
    String layer = "all_final_layer." + SIZE;
    return new Predictor(
        WeightMap.of(
            weights,
            w ->
                w.linear(layer + ".adaLN_modulation.1", config.width(), config.timeWidth())
                    .linear(layer + ".linear", config.tokenWidth(), config.width())));
  }

  @Override
  public Conditioner<ZImageConditioning> conditioner() {
    return ZImageConditioner.load(config, weights);
  }

  /** The modulated norm and the projection to the latents of a token. */
  private record Predictor(TensorMap weights) implements Head<ZImageConditioning> {
    @Override
    public NDArray predict(NDManager owner, Hidden x, ZImageConditioning c) {
      return PROGRAM.call(owner, "predict", x.image(), c.step().vector(), weights); // (B, l, c)
    }
  }
}
