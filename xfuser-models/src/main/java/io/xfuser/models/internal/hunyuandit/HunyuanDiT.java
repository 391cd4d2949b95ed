package io.xfuser.models.internal.hunyuandit;

import io.xfuser.models.internal.parts.ModulatedHead;
import io.xfuser.models.internal.parts.SizedTransformer;
import io.xfuser.models.internal.parts.TokenEmbedding;
import io.xfuser.models.internal.weights.Weights;
import io.xfuser.torchscript.Program;
import io.xfuser.transformer.Block;
import io.xfuser.transformer.Conditioner;
import io.xfuser.transformer.Embedding;
import io.xfuser.transformer.Head;
import io.xfuser.transformer.TransformerSpec.Modulations;
import io.xfuser.weights.Share;
import java.util.OptionalInt;

/**
 * The transformer of HunyuanDiT ({@code HunyuanDiT2DModel} in diffusers).
 *
 * @param config its dimensions
 * @param weights its tensors, by diffusers' names
 */
public record HunyuanDiT(HunyuanDiTConfig config, Weights weights)
    implements SizedTransformer<HunyuanDiTConditioning> {
  static final Program PROGRAM =
      Program.load(
          HunyuanDiT.class, "/io/xfuser/models/internal/parts/layer_norms.py", "hunyuandit.py");

  /** Checks that what the model uses are floats, and names the rest. */
  public HunyuanDiT {
    weights.expect(
        "(blocks\\.\\d+\\.(norm1\\.(norm|linear)|norm[23]|skip_(norm|linear)"
            + "|attn[12]\\.(to_[qkv]|norm_[qk]|to_out\\.0)|ff\\.net\\.(0\\.proj|2))"
            + "|pos_embed\\.proj|norm_out\\.linear|proj_out)\\.(weight|bias)"
            + "|text_embedd.*|time_extra_emb\\..*");
  }

  @Override
  public boolean valuesFirst() {
    return true;
  }

  @Override
  public OptionalInt skipFrom(int index) {
    return index > depth() / 2 ? OptionalInt.of(depth() - 1 - index) : OptionalInt.empty();
  }

  @Override
  public Modulations modulations(int index) {
    return Modulations.ofRows(1);
  }

  @Override
  public Block<HunyuanDiTConditioning> block(int index, Share share) {
    return HunyuanDiTBlock.load(
        config, weights.at("blocks." + index + "."), share, skipFrom(index).isPresent());
  }

  @Override
  public Embedding<HunyuanDiTConditioning> embedding() {
    return TokenEmbedding.load(weights, config.width(), config.patch());
  }

  @Override
  public Head<HunyuanDiTConditioning> head() {
    int width = config.width();
    return ModulatedHead.load(
        weights,
        width,
        w -> w.patchHead("proj_out", width, config.patch()),
        c -> c.step().vector());
  }

  @Override
  public Conditioner<HunyuanDiTConditioning> conditioner() {
    return HunyuanDiTConditioner.load(config, weights);
  }
}
