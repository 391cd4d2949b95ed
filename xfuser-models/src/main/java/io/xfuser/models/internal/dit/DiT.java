package io.xfuser.models.internal.dit;

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
 * The transformer of DiT ({@code DiTTransformer2DModel} in diffusers).
 *
 * @param config its dimensions
 * @param weights its tensors, by diffusers' names
 */
public record DiT(DiTConfig config, Weights weights) implements SizedTransformer<DiTConditioning> {
  static final Program PROGRAM = Program.load(DiT.class, "dit.py");

  /** Checks that what the model uses are floats, and names the rest. */
  public DiT {
    weights.expect(
        "transformer_blocks\\.\\d+\\.(attn1\\.(to_[qkv]|to_out\\.0)|ff\\.net\\.(0\\.proj|2)"
            + "|norm1\\.(linear|emb\\.timestep_embedder\\.linear_[12]))\\.(weight|bias)"
            + "|transformer_blocks\\.\\d+\\.norm1\\.emb\\.class_embedder\\..*"
            + "|proj_out_[12]\\..*|pos_embed\\..*");
  }

  @Override
  public Modulations modulations(int index) {
    return Modulations.ofRows(6);
  }

  @Override
  public boolean modulates() {
    return true;
  }

  @Override
  public Block<DiTConditioning> block(int index, Share share) {
    int width = config.width();
    Inner heads = Inner.heads(config.heads(), config.headSize());
    Inner neurons = Inner.neurons(4 * width);
    return new DiTBlock(
        config,
        WeightMap.of(
            weights.at("transformer_blocks." + index + "."),
            share,
            w ->
                embedder(w, "norm1.emb")
                    .linear("norm1.linear", 6L * width, width)
                    .inward(Joined.queriesKeysValues("attn1"), heads, width)
                    .outward("attn1.to_out.0", width, heads)
                    .inward("ff.net.0.proj", neurons, width)
                    .outward("ff.net.2", width, neurons)));
  }

  @Override
  public Embedding<DiTConditioning> embedding() {
    return TokenEmbedding.load(weights, config.width(), config.patch(), DiTConditioning::positions);
  }

  /** The head has the first block's embedder too. */
  @Override
  public Head<DiTConditioning> head() {
    long width = config.width();
    return new DiTHead(
        WeightMap.of(
            weights,
            w ->
                embedder(w, "transformer_blocks.0.norm1.emb")
                    .linear("proj_out_1", 2 * width, width)
                    .patchHead("proj_out_2", width, config.patch())));
  }

  private WeightMap embedder(WeightMap w, String name) {
    return w.mlp(name + ".timestep_embedder", config.width(), 256)
        .tensor(
            name + ".class_embedder.embedding_table.weight", config.classes() + 1L, config.width());
  }

  @Override
  public Conditioner<DiTConditioning> conditioner() {
    return new DiTConditioner(config, WeightMap.of(weights, w -> w));
  }
}
