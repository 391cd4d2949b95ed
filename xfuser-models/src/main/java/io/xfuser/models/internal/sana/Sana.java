package io.xfuser.models.internal.sana;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.models.internal.parts.SizedTransformer;
import io.xfuser.models.internal.weights.WeightMap;
import io.xfuser.models.internal.weights.Weights;
import io.xfuser.nn.TokenRange;
import io.xfuser.torchscript.Program;
import io.xfuser.torchscript.TensorMap;
import io.xfuser.torchscript.Torch;
import io.xfuser.transformer.Block;
import io.xfuser.transformer.Conditioner;
import io.xfuser.transformer.Embedding;
import io.xfuser.transformer.Head;
import io.xfuser.transformer.Hidden;
import io.xfuser.transformer.TransformerSpec.Modulations;
import io.xfuser.weights.Share;
import java.util.List;

/**
 * The transformer of SANA ({@code SanaTransformer2DModel} in diffusers). Its blocks attend by a sum
 * over all tokens, and their MLPs look at each token's neighbours.
 *
 * @param config its dimensions
 * @param weights its tensors, by diffusers' names
 */
record Sana(SanaConfig config, Weights weights) implements SizedTransformer<SanaConditioning> {
  static final Program PROGRAM =
      Program.load(Sana.class, "/io/xfuser/models/internal/parts/heads.py", "sana.py");

  /** Checks that what the model uses are floats, and names the rest. */
  Sana {
    String attention = "attn[12]\\.(to_[qkv]|to_out\\.0|norm_[qk])";
    String block =
        "scale_shift_table|(%s|ff\\.conv_(inverted|depth|point))\\.(weight|bias)"
            .formatted(attention);
    String known =
        "transformer_blocks\\.\\d+\\.(%s)".formatted(block)
            + "|(patch_embed\\.proj|proj_out|caption_projection\\.linear_[12]|time_embed\\.linear"
            + "|time_embed\\.(emb\\.)?(timestep|guidance)_embedder\\.linear_[12])\\.(weight|bias)"
            + "|caption_norm\\.weight|scale_shift_table|patch_embed\\.pos_embed";
    weights.expect(known);
  }

  @Override
  public int attentions(int index) {
    return 0;
  }

  @Override
  public int sums(int index) {
    return 1;
  }

  @Override
  public int neighbours(int index) {
    return 1;
  }

  @Override
  public Modulations modulations(int index) {
    return Modulations.shared(6);
  }

  @Override
  public Block<SanaConditioning> block(int index, Share share) {
    return SanaBlock.load(config, weights.at("transformer_blocks." + index + "."), share);
  }

  @Override
  public Embedding<SanaConditioning> embedding() {
    return new Embedder(
        WeightMap.of(weights, w -> w.patches("patch_embed.proj", config.width(), config.patch())));
  }

  @Override
  public Head<SanaConditioning> head() {
    long width = config.width();
    return new Predictor(
        WeightMap.of(
            weights,
            w ->
                w.tensor("scale_shift_table", 2, width)
                    .patchHead("proj_out", width, config.patch())));
  }

  @Override
  public Conditioner<SanaConditioning> conditioner() {
    return SanaConditioner.load(config, weights);
  }

  /** A linear layer over the latents of a token, and its position if the model has any. */
  private record Embedder(TensorMap weights) implements Embedding<SanaConditioning> {
    @Override
    public NDArray embed(NDManager owner, NDArray tokens, TokenRange local, SanaConditioning c) {
      try (NDManager scope = owner.newSubManager()) {
        List<NDArray> own = // (l, C)
            c.positions().stream()
                .map(all -> Torch.slice(scope, all, 0, local.from(), local.to()))
                .toList();
        return PROGRAM.call(owner, "embed", tokens, own, weights); // (B, l, C)
      }
    }
  }

  /** A modulated norm and the projection to the latents of a token. */
  private record Predictor(TensorMap weights) implements Head<SanaConditioning> {
    @Override
    public NDArray predict(NDManager owner, Hidden x, SanaConditioning c) {
      return PROGRAM.call(owner, "predict", x.image(), c.now().embedded(), weights); // (B, l, c)
    }
  }
}
