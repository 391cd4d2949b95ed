package io.xfuser.models.pixart;

import io.xfuser.torchscript.Program;
import io.xfuser.transformer.Block;
import io.xfuser.transformer.Conditioner;
import io.xfuser.transformer.Embedding;
import io.xfuser.transformer.Head;
import io.xfuser.transformer.TokenEmbedding;
import io.xfuser.transformer.TransformerSpec;
import io.xfuser.weights.SafeTensors;
import io.xfuser.weights.WeightList;

/**
 * The transformer of PixArt-α and PixArt-Σ ({@code PixArtTransformer2DModel} in diffusers).
 *
 * @param config its dimensions
 * @param weights its tensors, by diffusers' names
 */
public record PixArt(PixArtConfig config, SafeTensors weights)
    implements TransformerSpec<PixArtConditioning> {
  static final Program PROGRAM = Program.load(PixArt.class, "pixart.py");

  /** Checks that there are no weights that this model does not use. */
  public PixArt {
    weights.rejectUnknown(
        name ->
            name.matches(
                "transformer_blocks\\.\\d+\\.(scale_shift_table|attn[12]\\.(to_[qkv]|to_out\\.0)\\."
                    + "(weight|bias)|ff\\.net\\.(0\\.proj|2)\\.(weight|bias))"
                    + "|scale_shift_table|proj_out\\..*|pos_embed\\..*|adaln_single\\..*"
                    + "|caption_projection\\..*"));
  }

  @Override
  public int depth() {
    return config.depth();
  }

  @Override
  public int heads() {
    return config.heads();
  }

  @Override
  public Block<PixArtConditioning> block(int index) {
    return PixArtBlock.load(config, weights.at("transformer_blocks." + index + "."));
  }

  @Override
  public Embedding<PixArtConditioning> embedding() {
    return TokenEmbedding.load(
        weights, config.width(), config.patch(), PixArtConditioning::positions);
  }

  @Override
  public Head<PixArtConditioning> head() {
    return new PixArtHead(
        WeightList.of(
            weights,
            w ->
                w.tensor("scale_shift_table", 2, config.width())
                    .patchHead("proj_out", config.width(), config.patch())));
  }

  @Override
  public Conditioner<PixArtConditioning> conditioner() {
    return PixArtConditioner.load(config, weights);
  }
}
