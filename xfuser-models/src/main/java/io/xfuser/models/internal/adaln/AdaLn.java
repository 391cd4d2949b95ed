package io.xfuser.models.internal.adaln;

import io.xfuser.models.internal.parts.SizedTransformer;
import io.xfuser.models.internal.parts.TokenEmbedding;
import io.xfuser.models.internal.weights.Inner;
import io.xfuser.models.internal.weights.Joined;
import io.xfuser.models.internal.weights.WeightMap;
import io.xfuser.models.internal.weights.Weights;
import io.xfuser.torchscript.Program;
import io.xfuser.transformer.Block;
import io.xfuser.transformer.Conditioner;
import io.xfuser.transformer.Embedding;
import io.xfuser.transformer.Head;
import io.xfuser.transformer.TransformerSpec.Modulations;
import io.xfuser.weights.Share;

/**
 * A transformer of blocks with adaLN-single that look at a caption; as it stands PixArt's ({@code
 * PixArtTransformer2DModel} in diffusers).
 *
 * @param config its dimensions
 * @param weights its tensors, by diffusers' names
 */
public record AdaLn(AdaLnConfig config, Weights weights)
    implements SizedTransformer<AdaLnConditioning> {
  static final Program PROGRAM = Program.load(AdaLn.class, "adaln.py");

  /** The names of all tensors but those of blocks, as a regular expression. */
  private static final String OUTSIDE_BLOCKS =
      "scale_shift_table|proj_out\\..*|pos_embed\\..*|adaln_single\\..*|caption_projection\\..*";

  /** The names of a block's tensors without cross-attention. */
  private static final String IN_BLOCKS =
      "\\d+\\.(scale_shift_table|(attn[12]\\.(to_[qkv]|to_out\\.0)|ff\\.net\\.(0\\.proj|2))"
          + "\\.(weight|bias))";

  /** Checks that what the model uses are floats, and names the rest. */
  public AdaLn {
    weights.expect(OUTSIDE_BLOCKS + "|(temporal_)?transformer_blocks\\." + IN_BLOCKS);
  }

  /** {@inheritDoc} On CUDA with two biases beside, where {@code biases_moved}. */
  @Override
  public Modulations modulations(int index) {
    Modulations modulations = Modulations.shared(6);
    return weights.int8() == null ? modulations.onGpu(8) : modulations;
  }

  @Override
  public boolean modulates() {
    return true;
  }

  @Override
  public Block<AdaLnConditioning> block(int index, Share share) {
    return AdaLnBlock.load(config, weights.at("transformer_blocks." + index + "."), share);
  }

  @Override
  public Embedding<AdaLnConditioning> embedding() {
    return TokenEmbedding.load(
        weights, config.width(), config.patch(), AdaLnConditioning::positions);
  }

  @Override
  public Head<AdaLnConditioning> head() {
    long width = config.width();
    return new AdaLnHead(
        WeightMap.of(
            weights,
            w ->
                w.tensor("scale_shift_table", 2, width)
                    .patchHead("proj_out", width, config.patch())));
  }

  @Override
  public Conditioner<AdaLnConditioning> conditioner() {
    return AdaLnConditioner.load(config, weights);
  }

  /** The weights that every block has, those of its self-attention and its MLP. */
  public static WeightMap selfAttention(WeightMap w, AdaLnConfig config) {
    int width = config.width();
    Inner neurons = Inner.neurons(4 * width);
    return w.tensor("scale_shift_table", 6, width)
        .inward(Joined.queriesKeysValues("attn1"), config.inner(), width)
        .outward("attn1.to_out.0", width, config.inner())
        .inward("ff.net.0.proj", neurons, width)
        .outward("ff.net.2", width, neurons);
  }
}
