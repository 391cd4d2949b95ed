package io.xfuser.models.internal.wan;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.models.internal.parts.LinearEmbedding;
import io.xfuser.models.internal.parts.SizedTransformer;
import io.xfuser.models.internal.weights.WeightMap;
import io.xfuser.models.internal.weights.Weights;
import io.xfuser.nn.Patchify;
import io.xfuser.torchscript.ElementType;
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
 * The transformer of Wan ({@code WanTransformer3DModel} in diffusers). All tokens of a video attend
 * one another.
 *
 * @param config its dimensions
 * @param weights its tensors, by diffusers' names
 * @param exact the same in fp32, of which some are taken as diffusers does
 */
record Wan(WanConfig config, Weights weights, Weights exact)
    implements SizedTransformer<WanConditioning> {
  static final Program PROGRAM =
      Program.load(
          Wan.class,
          "/io/xfuser/models/internal/joint/rotary.py",
          "/io/xfuser/models/internal/parts/heads.py",
          "wan.py");

  /** Checks that what the model uses are floats, and names the rest. */
  Wan {
    String attention =
        "attn[12]\\.(to_[qkv]|to_out\\.0)\\.(weight|bias)|attn[12]\\.norm_[qk]\\.weight"
            + "|attn2\\.(add_[kv]_proj\\.(weight|bias)|norm_added_[qk]\\.weight)"; // q is not read
    String block =
        "scale_shift_table|norm2\\.(weight|bias)|ffn\\.net\\.(0\\.proj|2)\\.(weight|bias)|"
            + attention;
    String known =
        "blocks\\.\\d+\\.(%s)".formatted(block)
            + "|(patch_embedding|proj_out|condition_embedder\\.(time_proj"
            + "|(time|text)_embedder\\.linear_[12]|image_embedder\\.(norm[12]|ff\\.net\\.(0\\.proj|2))))"
            + "\\.(weight|bias)|condition_embedder\\.image_embedder\\.pos_embed|scale_shift_table";
    weights.expect(known);
  }

  @Override
  public boolean modulates() {
    return true;
  }

  @Override
  public Modulations modulations(int index) {
    return Modulations.shared(6).in(ElementType.FLOAT32);
  }

  @Override
  public Block<WanConditioning> block(int index, Share share) {
    String name = "blocks." + index + ".";
    return WanBlock.load(config, weights.at(name), exact.at(name), share);
  }

  @Override
  public Embedding<WanConditioning> embedding() {
    Patchify patch = config.patch();
    return new LinearEmbedding<>(
        PROGRAM,
        WeightMap.of(
            weights,
            w ->
                w.tensor(
                        (owner, kernel) ->
                            PROGRAM.call(owner, "embedding_weight", kernel, config.channels()),
                        "patch_embedding.weight",
                        config.width(),
                        config.inputs(),
                        patch.frames(),
                        patch.side(),
                        patch.side())
                    .tensor("patch_embedding.bias", config.width())));
  }

  @Override
  public Head<WanConditioning> head() {
    long width = config.width();
    long token = (long) config.patch().size() * config.channels();
    return new Predictor(
        config.epsilon(),
        WeightMap.of(
            weights,
            w ->
                w.linear("proj_out", token, width)
                    .reading(exact)
                    .tensor("scale_shift_table", 1, 2, width)));
  }

  @Override
  public Conditioner<WanConditioning> conditioner() {
    return WanConditioner.load(config, weights, exact);
  }

  /** A modulated norm and the projection to the latents of a token. */
  private record Predictor(double epsilon, TensorMap weights) implements Head<WanConditioning> {
    @Override
    public NDArray predict(NDManager owner, Hidden x, WanConditioning c) {
      return PROGRAM.call( // (B, l, c)
          owner,
          "predict",
          x.image(),
          c.now().embedded(),
          c.now().still(x.place().local()),
          weights,
          epsilon);
    }
  }
}
