package io.xfuser.models.flux;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.models.joint.JointConditioning;
import io.xfuser.models.joint.JointHead;
import io.xfuser.nn.Patchify;
import io.xfuser.nn.TokenRange;
import io.xfuser.torchscript.Program;
import io.xfuser.torchscript.Torch;
import io.xfuser.transformer.Block;
import io.xfuser.transformer.Conditioner;
import io.xfuser.transformer.Embedding;
import io.xfuser.transformer.Head;
import io.xfuser.transformer.Hidden;
import io.xfuser.transformer.TransformerSpec;
import io.xfuser.weights.SafeTensors;
import io.xfuser.weights.WeightList;
import java.util.List;

/**
 * The transformer of Flux.1 schnell and dev ({@code FluxTransformer2DModel} in diffusers): double
 * blocks, then single blocks, numbered in this order.
 *
 * @param config its dimensions
 * @param weights its tensors, by diffusers' names
 */
public record Flux(FluxConfig config, SafeTensors weights)
    implements TransformerSpec<JointConditioning> {
  static final Program PROGRAM = Program.load(Flux.class, "flux.py");

  private static final String LINEARS = "(%s)\\.(weight|bias)"; // of the layers that have both

  /** Checks that there are no weights that this model does not use. */
  public Flux {
    String image = "attn\\.to_[qkv]";
    String both =
        image
            + "|attn\\.(add_[qkv]_proj|to_out\\.0|to_add_out)|norm1(_context)?\\.linear"
            + "|ff(_context)?\\.net\\.(0\\.proj|2)";
    String known =
        "transformer_blocks\\.\\d+\\.("
            + LINEARS.formatted(both)
            + "|attn\\.norm_(added_)?[qk]\\.weight)"
            + "|single_transformer_blocks\\.\\d+\\.("
            + LINEARS.formatted(image + "|norm\\.linear|proj_mlp|proj_out")
            + "|attn\\.norm_[qk]\\.weight)"
            + "|(x_embedder|context_embedder|norm_out\\.linear|proj_out)\\.(weight|bias)"
            + "|time_text_embed\\.(timestep|text%s)_embedder\\..*"
                .formatted(config.guidance() ? "|guidance" : "");
    weights.rejectUnknown(name -> name.matches(known));
  }

  @Override
  public int depth() {
    return config.doubleBlocks() + config.singleBlocks();
  }

  @Override
  public int heads() {
    return config.heads();
  }

  @Override
  public Block<JointConditioning> block(int index) {
    int single = index - config.doubleBlocks();
    return single < 0
        ? FluxDoubleBlock.load(config, weights.at("transformer_blocks." + index + "."))
        : FluxSingleBlock.load(
            config, index == depth() - 1, weights.at("single_transformer_blocks." + single + "."));
  }

  @Override
  public Embedding<JointConditioning> embedding() {
    Patchify patchify = new Patchify(FluxConfig.PATCH);
    return new FluxEmbedding(
        WeightList.of(
            weights,
            w ->
                w.tensor(
                        patchify::unpacked,
                        "x_embedder.weight",
                        config.width(),
                        config.tokenWidth())
                    .tensor("x_embedder.bias", config.width())));
  }

  @Override
  public Head<JointConditioning> head() {
    Patchify patchify = new Patchify(FluxConfig.PATCH);
    long width = config.width();
    return new JointHead(
        WeightList.of(
            weights,
            w ->
                w.linear("norm_out.linear", 2 * width, width)
                    .tensor(patchify::unpackedRows, "proj_out.weight", config.tokenWidth(), width)
                    .tensor(patchify::unpackedRows, "proj_out.bias", config.tokenWidth())));
  }

  @Override
  public Conditioner<JointConditioning> conditioner() {
    return FluxConditioner.load(config, weights);
  }

  /** The image's hidden states and, where there are any, the text's after them. */
  static List<NDArray> streams(Hidden x) {
    NDArray text = x.text();
    return text == null ? List.of(x.image()) : List.of(x.image(), text);
  }

  /** Cosines and sines (l, D/2, 2) of the tokens of {@code x}. */
  static NDArray rotation(NDManager owner, Hidden x, JointConditioning c) {
    TokenRange local = x.place().local();
    return Torch.slice(owner, c.places(), 0, local.from(), local.to());
  }
}
