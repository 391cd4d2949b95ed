package io.xfuser.models.internal.qwenimage;

import ai.djl.ndarray.NDArray;
import io.xfuser.models.internal.joint.JointConditioning;
import io.xfuser.models.internal.parts.LinearEmbedding;
import io.xfuser.models.internal.parts.ModulatedHead;
import io.xfuser.models.internal.parts.SizedTransformer;
import io.xfuser.models.internal.weights.WeightMap;
import io.xfuser.models.internal.weights.Weights;
import io.xfuser.nn.Patchify;
import io.xfuser.torchscript.Program;
import io.xfuser.transformer.Block;
import io.xfuser.transformer.Conditioner;
import io.xfuser.transformer.Embedding;
import io.xfuser.transformer.Head;
import io.xfuser.transformer.TransformerSpec.Modulations;
import io.xfuser.weights.Share;

/**
 * The transformer of Qwen-Image ({@code QwenImageTransformer2DModel} in diffusers): blocks with
 * weights of their own for text and image.
 *
 * @param config its dimensions
 * @param weights its tensors, by diffusers' names
 */
record QwenImage(QwenImageConfig config, Weights weights)
    implements SizedTransformer<JointConditioning> {
  static final Program PROGRAM =
      Program.load(QwenImage.class, "/io/xfuser/models/internal/joint/stream.py", "qwenimage.py");

  /** Checks that what the model uses are floats, and names the rest. */
  QwenImage {
    String known =
        "(transformer_blocks\\.\\d+\\.((img|txt)_mod\\.1"
            + "|attn\\.(to_[qkv]|to_out\\.0|add_[qkv]_proj|to_add_out)"
            + "|(img|txt)_mlp\\.net\\.(0\\.proj|2))"
            + "|time_text_embed\\.timestep_embedder\\.linear_[12]"
            + "|img_in|txt_in|norm_out\\.linear|proj_out)\\.(weight|bias)"
            + "|(transformer_blocks\\.\\d+\\.attn\\.norm_(added_)?[qk]|txt_norm)\\.weight";
    weights.expect(known);
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
    return QwenImageBlock.load(config, weights.at("transformer_blocks." + index + "."), share);
  }

  @Override
  public Embedding<JointConditioning> embedding() {
    Patchify patchify = new Patchify(QwenImageConfig.PATCH);
    return new LinearEmbedding<>(
        PROGRAM,
        WeightMap.of(
            weights,
            w ->
                w.tensor(patchify::unpacked, "img_in.weight", config.width(), config.tokenWidth())
                    .tensor("img_in.bias", config.width())));
  }

  @Override
  public Head<JointConditioning> head() {
    long[] values = {config.tokenWidth(), config.width()};
    return ModulatedHead.packed(
        weights, new Patchify(QwenImageConfig.PATCH), values, this::condition);
  }

  private NDArray condition(JointConditioning c) {
    NDArray all = c.step().vector();
    return config.still() ? PROGRAM.call(all.getManager(), "first_row", all) : all;
  }

  @Override
  public Conditioner<JointConditioning> conditioner() {
    return QwenImageConditioner.load(config, weights);
  }
}
