package io.xfuser.models.internal.flux;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.models.internal.joint.DoubleBlock;
import io.xfuser.models.internal.joint.JointConditioning;
import io.xfuser.models.internal.joint.Modulation;
import io.xfuser.models.internal.joint.PictureAdapter;
import io.xfuser.models.internal.joint.SingleBlock;
import io.xfuser.models.internal.joint.StreamConfig;
import io.xfuser.models.internal.joint.StreamTransformer;
import io.xfuser.models.internal.joint.Streams;
import io.xfuser.models.internal.parts.LinearEmbedding;
import io.xfuser.models.internal.parts.ModulatedHead;
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
import java.util.ArrayList;
import java.util.List;

/**
 * The transformer of Flux.1 schnell and dev ({@code FluxTransformer2DModel} in diffusers): double
 * blocks, then single blocks, numbered in this order.
 *
 * @param config its dimensions
 * @param weights its tensors, by diffusers' names
 * @param adapters by which pictures are prompts; often none
 */
public record Flux(FluxConfig config, Weights weights, List<PictureAdapter> adapters)
    implements StreamTransformer {
  static final Program PROGRAM = Program.load(Flux.class, "flux.py");

  private static final Modulation SINGLE =
      (step, block) -> step.of(block, PROGRAM, "single_modulation");

  /** Without adapters. */
  public Flux(FluxConfig config, Weights weights) {
    this(config, weights, List.of());
  }

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
    weights.expect(all);
  }

  @Override
  public Modulations modulations(int index) {
    return Modulations.ofRows(index < config.streams().doubleBlocks() ? 12 : 3);
  }

  @Override
  public long shown(int index, long rows) {
    return index < config.streams().doubleBlocks()
        ? PictureAdapter.kept(adapters, config.streams(), rows)
        : 0;
  }

  @Override
  public StreamConfig streams() {
    return config.streams();
  }

  @Override
  public Block<JointConditioning> block(int index, Share share) {
    Weights block = weights.at(config.streams().block(index));
    Inner heads = config.streams().heads();
    long width = config.width();
    return index < config.streams().doubleBlocks()
        ? new DoubleBlock(
                headSize(),
                Streams.OWN,
                WeightMap.of(
                    block,
                    share,
                    w ->
                        PictureAdapter.block(
                            DoubleBlock.readAll(w, heads),
                            adapters,
                            index,
                            heads,
                            config.streams().textWidth())))
            .with(adapters, index, heads, share)
        : new SingleBlock(
            headSize(),
            index == depth() - 1,
            SINGLE,
            WeightMap.of(
                block,
                share,
                w -> SingleBlock.read(w.linear("norm.linear", 3 * width, width), heads)));
  }

  @Override
  public Embedding<JointConditioning> embedding() {
    return new LinearEmbedding<>(
        Streams.PROGRAM,
        WeightMap.of(
            weights,
            w ->
                w.tensor(
                        this::unpackedInputs,
                        "x_embedder.weight",
                        config.width(),
                        config.streams().inputWidth())
                    .tensor("x_embedder.bias", config.width())));
  }

  /** Columns in the order of tokens: those of latents, of a masked picture's, and of its mask. */
  private NDArray unpackedInputs(NDManager owner, NDArray weight) {
    Patchify patchify = new Patchify(StreamConfig.PATCH);
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
    long[] values = {config.tokenWidth(), config.width()};
    return ModulatedHead.packed(
        weights, new Patchify(StreamConfig.PATCH), values, c -> c.step().vector());
  }

  @Override
  public Conditioner<JointConditioning> conditioner() {
    return FluxConditioner.load(config, weights, adapters);
  }
}
