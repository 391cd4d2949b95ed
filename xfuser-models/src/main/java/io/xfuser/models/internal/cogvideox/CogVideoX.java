package io.xfuser.models.internal.cogvideox;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import io.xfuser.models.internal.joint.JointConditioning;
import io.xfuser.models.internal.parts.SizedTransformer;
import io.xfuser.models.internal.weights.WeightMap;
import io.xfuser.models.internal.weights.Weights;
import io.xfuser.nn.Patchify;
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

/**
 * The transformer of CogVideoX ({@code CogVideoXTransformer3DModel} in diffusers). All tokens of a
 * video and those of the text attend one another; text and video have layers in common.
 *
 * @param config its dimensions
 * @param weights its tensors, by diffusers' names
 */
record CogVideoX(CogVideoXConfig config, Weights weights)
    implements SizedTransformer<JointConditioning> {
  static final Program PROGRAM =
      Program.load(
          CogVideoX.class,
          "/io/xfuser/models/internal/joint/rotary.py",
          "/io/xfuser/models/internal/parts/layer_norms.py",
          "cogvideox.py");

  /** Checks that what the model uses are floats, and names the rest. */
  CogVideoX {
    String block =
        "norm[12]\\.(linear|norm)|attn1\\.(to_[qkv]|to_out\\.0|norm_[qk])|ff\\.net\\.(0\\.proj|2)";
    String known =
        "(transformer_blocks\\.\\d+\\.(%s)|patch_embed\\.(proj|text_proj)|time_embedding\\.linear_[12]"
                .formatted(block)
            + "|norm_final|norm_out\\.(linear|norm)|proj_out)\\.(weight|bias)";
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
  public boolean modulates() {
    return true;
  }

  @Override
  public Block<JointConditioning> block(int index, Share share) {
    boolean last = index == config.depth() - 1;
    return CogVideoXBlock.load(
        config, last, weights.at("transformer_blocks." + index + "."), share);
  }

  @Override
  public Embedding<JointConditioning> embedding() {
    return new Embedder(!config.places().rotary(), WeightMap.of(weights, this::patches));
  }

  private WeightMap patches(WeightMap w) {
    Patchify patch = config.patch();
    long width = config.width();
    int channels = config.channels();
    String name = "patch_embed.proj";
    WeightMap read =
        config.linearPatch()
            ? w.tensor(patch::unpacked, name + ".weight", width, (long) patch.size() * channels)
            : w.tensor(
                Patchify::embeddingWeight,
                name + ".weight",
                width,
                channels,
                patch.side(),
                patch.side());
    return config.patchBias() ? read.tensor(name + ".bias", width) : read;
  }

  @Override
  public Head<JointConditioning> head() {
    long width = config.width();
    Patchify patch = config.patch();
    long values = (long) patch.size() * config.channels();
    return new Predictor(
        config.epsilon(),
        WeightMap.of(
            weights,
            w ->
                w.norm("norm_final", width)
                    .linear("norm_out.linear", 2 * width, config.timeWidth())
                    .norm("norm_out.norm", width)
                    .tensor(patch::unpackedRows, "proj_out.weight", values, width)
                    .tensor(patch::unpackedRows, "proj_out.bias", values)));
  }

  @Override
  public Conditioner<JointConditioning> conditioner() {
    return CogVideoXConditioner.load(config, weights);
  }

  /** A linear layer over the latents of a token, and perhaps its place. */
  private record Embedder(boolean placed, TensorMap weights)
      implements Embedding<JointConditioning> {
    @Override
    public NDArray embed(NDManager owner, NDArray tokens, TokenRange local, JointConditioning c) {
      try (NDManager scope = owner.newSubManager()) {
        NDList positions = new NDList(); // none or (l, C)
        if (placed) {
          positions.add(Torch.slice(scope, c.places(), 0, local.from(), local.to()));
        }
        return PROGRAM.call(owner, "embed", tokens, positions, weights); // (B, l, C)
      }
    }
  }

  /** Two norms, the second one modulated, and the projection to the latents of a token. */
  private record Predictor(double epsilon, TensorMap weights) implements Head<JointConditioning> {
    @Override
    public NDArray predict(NDManager owner, Hidden x, JointConditioning c) {
      NDArray timestep = c.step().vector(); // (1, E)
      return PROGRAM.call(owner, "predict", x.image(), timestep, weights, epsilon); // (B, l, c)
    }
  }
}
