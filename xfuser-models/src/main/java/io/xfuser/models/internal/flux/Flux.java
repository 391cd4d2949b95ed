package io.xfuser.models.internal.flux;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.models.internal.joint.JointConditioning;
import io.xfuser.models.internal.parts.ModulatedHead;
import io.xfuser.models.internal.weights.WeightMap;
import io.xfuser.models.internal.weights.Weights;
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
import io.xfuser.weights.Share;
import java.util.ArrayList;
import java.util.List;

/**
 * The transformer of Flux.1 schnell and dev ({@code FluxTransformer2DModel} in diffusers): double
 * blocks, then single blocks, numbered in this order.
 *
 * @param config its dimensions
 * @param weights its tensors, by diffusers' names
 */
public record Flux(FluxConfig config, Weights weights)
    implements TransformerSpec<JointConditioning> {
  static final Program PROGRAM =
      Program.load(
          Flux.class,
          "/io/xfuser/models/internal/joint/stream.py",
          "/io/xfuser/models/internal/joint/rotary.py",
          "flux.py");

  /** Checks that what the model uses are floats, and names the rest. */
  public Flux {
    String known =
        "((transformer_blocks\\.\\d+\\.(norm1(_context)?\\.linear"
            + "|attn\\.(to_[qkv]|to_out\\.0|add_[qkv]_proj|to_add_out)"
            + "|ff(_context)?\\.net\\.(0\\.proj|2))"
            + "|single_transformer_blocks\\.\\d+\\.(norm\\.linear|attn\\.to_[qkv]|proj_mlp|proj_out)"
            + "|time_text_embed\\.(timestep|text%s)_embedder\\.linear_[12]"
            + "|x_embedder|context_embedder|norm_out\\.linear|proj_out)\\.(weight|bias))"
            + "|(single_)?transformer_blocks\\.\\d+\\.attn\\.norm_(added_)?[qk]\\.weight";
    String all = known.formatted(config.guidance() ? "|guidance" : "");
    weights.expect(name -> name.matches(all));
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
  public int headSize() {
    return config.headSize();
  }

  @Override
  public Block<JointConditioning> block(int index, Share share) {
    int single = index - config.doubleBlocks();
    return single < 0
        ? FluxDoubleBlock.load(config, weights.at("transformer_blocks." + index + "."), share)
        : FluxSingleBlock.load(
            config,
            index == depth() - 1,
            weights.at("single_transformer_blocks." + single + "."),
            share);
  }

  @Override
  public Embedding<JointConditioning> embedding() {
    return new FluxEmbedding(
        WeightMap.of(
            weights,
            w ->
                w.tensor(
                        this::unpackedInputs,
                        "x_embedder.weight",
                        config.width(),
                        config.tokenWidth() + config.besideWidth())
                    .tensor("x_embedder.bias", config.width())));
  }

  /** Columns in the order of tokens: those of latents, of a masked picture's, and of its mask. */
  private NDArray unpackedInputs(NDManager owner, NDArray weight) {
    Patchify patchify = new Patchify(FluxConfig.PATCH);
    if (config.besideWidth() == 0) {
      return patchify.unpacked(owner, weight);
    }
    long width = config.tokenWidth();
    long[] ends = {0, width, 2 * width, width + config.besideWidth()};
    try (NDManager scope = owner.newSubManager()) {
      List<NDArray> parts = new ArrayList<>();
      for (int i = 0; i < ends.length - 1; i++) {
        parts.add(patchify.unpacked(scope, Torch.slice(scope, weight, 1, ends[i], ends[i + 1])));
      }
      return Torch.concat(owner, parts, 1);
    }
  }

  @Override
  public Head<JointConditioning> head() {
    Patchify patchify = new Patchify(FluxConfig.PATCH);
    long width = config.width();
    return new ModulatedHead<>(
        WeightMap.of(
            weights,
            w ->
                w.linear("norm_out.linear", 2 * width, width)
                    .tensor(patchify::unpackedRows, "proj_out.weight", config.tokenWidth(), width)
                    .tensor(patchify::unpackedRows, "proj_out.bias", config.tokenWidth())),
        c -> c.step().vector());
  }

  @Override
  public Conditioner<JointConditioning> conditioner() {
    return FluxConditioner.load(config, weights);
  }

  /** Cosines and sines (l, D/2, 2) of the tokens of {@code x}. */
  static NDArray rotation(NDManager owner, Hidden x, JointConditioning c) {
    TokenRange local = x.place().local();
    return Torch.slice(owner, c.places(), 0, local.from(), local.to());
  }
}
