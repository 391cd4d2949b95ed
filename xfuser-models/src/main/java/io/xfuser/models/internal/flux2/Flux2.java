package io.xfuser.models.internal.flux2;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.models.internal.joint.JointConditioning;
import io.xfuser.models.internal.parts.LinearEmbedding;
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
 * The transformer of Flux.2 dev and klein ({@code Flux2Transformer2DModel} in diffusers): double
 * blocks, then single blocks, numbered in this order. Modulations, which all blocks of a kind have
 * in common, belong to the conditioner.
 *
 * @param config its dimensions
 * @param weights its tensors, by diffusers' names
 */
record Flux2(Flux2Config config, Weights weights) implements SizedTransformer<JointConditioning> {
  static final Program PROGRAM =
      Program.load(Flux2.class, "/io/xfuser/models/internal/joint/rotary.py", "flux2.py");

  /** Checks that what the model uses are floats, and names the rest. */
  Flux2 {
    String known =
        "(transformer_blocks\\.\\d+\\.(attn\\.(to_[qkv]|to_out\\.0|add_[qkv]_proj|to_add_out"
            + "|norm_(added_)?[qk])|ff(_context)?\\.linear_(in|out))"
            + "|single_transformer_blocks\\.\\d+\\.attn\\.(to_qkv_mlp_proj|to_out|norm_[qk])"
            + "|time_guidance_embed\\.(timestep%s)_embedder\\.linear_[12]"
            + "|(double_stream_modulation_(img|txt)|single_stream_modulation|norm_out)\\.linear"
            + "|x_embedder|context_embedder|proj_out)\\.weight";
    String all = known.formatted(config.guidance() ? "|guidance" : "");
    weights.expect(all);
  }

  @Override
  public boolean valuesFirst() {
    return true;
  }

  @Override
  public Modulations commonModulations() {
    return Modulations.shared(16); // and the embedded timestep
  }

  @Override
  public Block<JointConditioning> block(int index, Share share) {
    int single = index - config.doubleBlocks();
    return single < 0
        ? Flux2DoubleBlock.load(config, weights.at("transformer_blocks." + index + "."), share)
        : Flux2SingleBlock.load(
            config,
            index == depth() - 1,
            weights.at("single_transformer_blocks." + single + "."),
            share);
  }

  @Override
  public Embedding<JointConditioning> embedding() {
    return new LinearEmbedding<>(
        PROGRAM,
        WeightMap.of(
            weights, w -> w.withoutBias().linear("x_embedder", config.width(), config.channels())));
  }

  @Override
  public Head<JointConditioning> head() {
    int width = config.width();
    return new Predictor(
        config.epsilon(),
        WeightMap.of(
            weights,
            w ->
                w.withoutBias()
                    .linear("norm_out.linear", 2L * width, width)
                    .linear("proj_out", config.channels(), width)));
  }

  @Override
  public Conditioner<JointConditioning> conditioner() {
    return Flux2Conditioner.load(config, weights);
  }

  /** Cosines and sines (t + l, D/2, 2) of the tokens of {@code x}. */
  static NDArray rotation(NDManager owner, Hidden x, JointConditioning c) {
    TokenRange local = x.place().local();
    TokenRange spoken = x.place().text().own();
    long text = c.text().getShape().get(1);
    NDArray ofImage = Torch.slice(owner, c.places(), 0, text + local.from(), text + local.to());
    if (spoken.length() == 0) {
      return ofImage;
    }
    if (spoken.length() == text && local.from() == 0) { // one after the other
      return Torch.slice(owner, c.places(), 0, 0, text + local.to());
    }
    NDArray ofText = Torch.slice(owner, c.places(), 0, spoken.from(), spoken.to());
    return Torch.concat(owner, List.of(ofText, ofImage), 0);
  }

  /** The modulated norm and the projection to the latents of a token. */
  private record Predictor(double epsilon, TensorMap weights) implements Head<JointConditioning> {
    @Override
    public NDArray predict(NDManager owner, Hidden x, JointConditioning c) {
      return PROGRAM.call( // (B, l, c)
          owner, "predict", x.image(), c.step().vector(), weights, epsilon);
    }
  }
}
