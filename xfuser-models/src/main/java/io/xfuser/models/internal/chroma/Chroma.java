package io.xfuser.models.internal.chroma;

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
import io.xfuser.models.internal.weights.Inner;
import io.xfuser.models.internal.weights.WeightMap;
import io.xfuser.models.internal.weights.Weights;
import io.xfuser.nn.Patchify;
import io.xfuser.torchscript.Program;
import io.xfuser.torchscript.TensorMap;
import io.xfuser.transformer.Block;
import io.xfuser.transformer.Conditioner;
import io.xfuser.transformer.Embedding;
import io.xfuser.transformer.Head;
import io.xfuser.transformer.Hidden;
import io.xfuser.transformer.TransformerSpec.Modulations;
import io.xfuser.weights.Share;
import java.util.List;

/**
 * The transformer of Chroma ({@code ChromaTransformer2DModel} in diffusers): double blocks, then
 * single blocks, numbered in this order. None has a modulation of its own.
 *
 * @param config its dimensions
 * @param weights its tensors, by diffusers' names
 * @param adapters by which pictures are prompts; often none
 */
record Chroma(ChromaConfig config, Weights weights, List<PictureAdapter> adapters)
    implements StreamTransformer {
  static final Program PROGRAM = Program.load(Chroma.class, "chroma.py");

  private static final Patchify PATCHIFY = new Patchify(StreamConfig.PATCH);

  /** Checks that what the model uses are floats, and names the rest. */
  Chroma {
    String known =
        "((transformer_blocks\\.\\d+\\."
            + "(attn\\.(to_[qkv]|to_out\\.0|add_[qkv]_proj|to_add_out)"
            + "|ff(_context)?\\.net\\.(0\\.proj|2))"
            + "|single_transformer_blocks\\.\\d+\\.(attn\\.to_[qkv]|proj_mlp|proj_out)"
            + "|distilled_guidance_layer\\.(in_proj|out_proj|layers\\.\\d+\\.linear_[12])"
            + "|x_embedder|context_embedder|proj_out)\\.(weight|bias))"
            + "|(single_)?transformer_blocks\\.\\d+\\.attn\\.norm_(added_)?[qk]\\.weight"
            + "|distilled_guidance_layer\\.norms\\.\\d+\\.weight";
    weights.expect(known);
  }

  @Override
  public Modulations modulations(int index) {
    return Modulations.shared(config.firstRows(index).length * config.rowsOf(index));
  }

  @Override
  public Modulations commonModulations() {
    return Modulations.shared(config.rows()); // the table
  }

  @Override
  public long shown(int index, long rows) {
    return index < config.streams().doubleBlocks()
        ? PictureAdapter.kept(adapters, config.streams(), rows)
        : 0;
  }

  @Override
  public Block<JointConditioning> block(int index, Share share) {
    Weights block = weights.at(config.streams().block(index));
    Inner heads = config.streams().heads();
    Modulation rows =
        (step, part) ->
            step.of(
                part,
                (owner, tables) ->
                    PROGRAM.call(
                        owner, "rows", tables, config.firstRows(index), config.rowsOf(index)));
    return index < config.streams().doubleBlocks()
        ? new DoubleBlock(
                headSize(),
                rows,
                WeightMap.of(
                    block,
                    share,
                    w ->
                        PictureAdapter.block(
                            DoubleBlock.read(w, heads),
                            adapters,
                            index,
                            heads,
                            config.streams().textWidth())))
            .with(adapters, index, heads, share)
        : new SingleBlock(
            headSize(),
            index == depth() - 1,
            rows,
            WeightMap.of(block, share, w -> SingleBlock.read(w, heads)));
  }

  @Override
  public Embedding<JointConditioning> embedding() {
    long width = config.streams().width();
    int token = config.streams().tokenWidth();
    return new LinearEmbedding<>(
        Streams.PROGRAM,
        WeightMap.of(
            weights,
            w ->
                w.tensor(PATCHIFY::unpacked, "x_embedder.weight", width, token)
                    .tensor("x_embedder.bias", width)));
  }

  @Override
  public Head<JointConditioning> head() {
    int token = config.streams().tokenWidth();
    return new Predictor(
        WeightMap.of(
            weights,
            w ->
                w.tensor(PATCHIFY::unpackedRows, "proj_out.weight", token, config.streams().width())
                    .tensor(PATCHIFY::unpackedRows, "proj_out.bias", token)));
  }

  @Override
  public StreamConfig streams() {
    return config.streams();
  }

  @Override
  public Conditioner<JointConditioning> conditioner() {
    return ChromaConditioner.load(config, weights, adapters);
  }

  /** The modulated norm and the projection to the latents of a token. */
  private record Predictor(TensorMap weights) implements Head<JointConditioning> {
    @Override
    public NDArray predict(NDManager owner, Hidden x, JointConditioning c) {
      return PROGRAM.call(owner, "predict", x.image(), c.step().vector(), weights); // (B, l, c)
    }
  }
}
