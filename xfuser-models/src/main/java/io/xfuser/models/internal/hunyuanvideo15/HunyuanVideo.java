package io.xfuser.models.internal.hunyuanvideo15;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.models.internal.joint.DoubleBlock;
import io.xfuser.models.internal.joint.JointConditioning;
import io.xfuser.models.internal.joint.Streams;
import io.xfuser.models.internal.parts.LinearEmbedding;
import io.xfuser.models.internal.parts.ModulatedHead;
import io.xfuser.models.internal.parts.SizedTransformer;
import io.xfuser.models.internal.weights.Inner;
import io.xfuser.models.internal.weights.WeightMap;
import io.xfuser.models.internal.weights.Weights;
import io.xfuser.nn.Patchify;
import io.xfuser.torchscript.Program;
import io.xfuser.torchscript.Torch;
import io.xfuser.transformer.Block;
import io.xfuser.transformer.Conditioner;
import io.xfuser.transformer.Embedding;
import io.xfuser.transformer.Head;
import io.xfuser.transformer.TransformerSpec.Modulations;
import io.xfuser.weights.Share;

/**
 * The transformer of HunyuanVideo 1.5 ({@code HunyuanVideo15Transformer3DModel} in diffusers):
 * blocks with weights of their own for the text and the video, whose tokens are single latents.
 *
 * @param config its dimensions
 * @param glyphInner the inner width of the projection of quoted texts, which no setting says
 * @param weights its tensors, by diffusers' names
 */
record HunyuanVideo(HunyuanVideoConfig config, int glyphInner, Weights weights)
    implements SizedTransformer<JointConditioning> {
  static final Program PROGRAM =
      Program.load(
          HunyuanVideo.class, "/io/xfuser/models/internal/joint/rotary.py", "hunyuanvideo.py");

  /** Checks that what the model uses are floats, and names the rest. */
  HunyuanVideo {
    String layers =
        "(transformer_blocks\\.\\d+\\.(norm1(_context)?\\.linear"
            + "|attn\\.(to_[qkv]|to_out\\.0|add_[qkv]_proj|to_add_out)"
            + "|ff(_context)?\\.net\\.(0\\.proj|2))"
            + "|context_embedder\\.(proj_in|time_text_embed\\.(timestep|text)_embedder\\.linear_[12]"
            + "|token_refiner\\.refiner_blocks\\.\\d+\\.(norm[12]|norm_out\\.linear"
            + "|attn\\.(to_[qkv]|to_out\\.0)|ff\\.net\\.(0\\.proj|2)))"
            + "|context_embedder_2\\.(norm|linear_[123])|time_embed\\.timestep_embedder\\.linear_[12]"
            + "|x_embedder\\.proj|norm_out\\.linear|proj_out)\\.(weight|bias)";
    String known =
        layers
            + "|transformer_blocks\\.\\d+\\.attn\\.norm_(added_)?[qk]\\.weight"
            + "|cond_type_embed\\.weight|image_embedder\\..*";
    weights.expect(known);
  }

  @Override
  public boolean modulates() {
    return true;
  }

  @Override
  public boolean valuesFirst() {
    return true;
  }

  @Override
  public Modulations modulations(int index) {
    return Modulations.shared(12);
  }

  @Override
  public Block<JointConditioning> block(int index, Share share) {
    return new DoubleBlock(
        headSize(),
        Streams.OWN,
        WeightMap.of(
            weights.at("transformer_blocks." + index + "."),
            share,
            w -> DoubleBlock.readAll(w, Inner.heads(heads(), headSize()))));
  }

  @Override
  public Embedding<JointConditioning> embedding() {
    return new LinearEmbedding<>(
        PROGRAM,
        WeightMap.of(
            weights,
            w ->
                w.tensor(
                        this::ofLatents,
                        "x_embedder.proj.weight",
                        config.width(),
                        config.inputs(),
                        1,
                        1,
                        1)
                    .tensor("x_embedder.proj.bias", config.width())));
  }

  /** Without the columns of the picture to begin with and of its mask, which are zeros here. */
  private NDArray ofLatents(NDManager owner, NDArray kernel) {
    try (NDManager scope = owner.newSubManager()) {
      NDArray matrix = Patchify.embeddingWeight(scope, kernel); // (C, inputs)
      return Torch.copy(owner, Torch.slice(scope, matrix, 1, 0, config.channels()));
    }
  }

  @Override
  public Head<JointConditioning> head() {
    long width = config.width();
    return ModulatedHead.load(
        weights,
        width,
        w -> w.linear("proj_out", config.channels(), width),
        c -> c.step().vector());
  }

  @Override
  public Conditioner<JointConditioning> conditioner() {
    return HunyuanVideoConditioner.load(config, glyphInner, weights);
  }
}
