package io.xfuser.models.internal.sd3;

import io.xfuser.models.internal.adapter.TimedAdapter;
import io.xfuser.models.internal.joint.JointConditioning;
import io.xfuser.models.internal.parts.ModulatedHead;
import io.xfuser.models.internal.parts.SizedTransformer;
import io.xfuser.models.internal.weights.WeightMap;
import io.xfuser.models.internal.weights.Weights;
import io.xfuser.torchscript.Program;
import io.xfuser.transformer.Block;
import io.xfuser.transformer.Conditioner;
import io.xfuser.transformer.Embedding;
import io.xfuser.transformer.Head;
import io.xfuser.transformer.TransformerSpec.Modulations;
import io.xfuser.weights.Share;
import java.util.List;

/**
 * The transformer of Stable Diffusion 3 and 3.5 ({@code SD3Transformer2DModel} in diffusers).
 *
 * @param config its dimensions
 * @param weights its tensors, by diffusers' names
 * @param adapter by which a picture is a prompt, or none
 */
record SD3(SD3Config config, Weights weights, List<TimedAdapter> adapter)
    implements SizedTransformer<JointConditioning> {
  static final Program PROGRAM =
      Program.load(SD3.class, "/io/xfuser/models/internal/joint/stream.py", "sd3.py");

  /** What is made of pictures that are prompts. */
  static final Program SHOWN = Program.load(SD3.class, "timed_pictures.py");

  /** Without an adapter. */
  SD3(SD3Config config, Weights weights) {
    this(config, weights, List.of());
  }

  /** Checks that what the model uses are floats, and names the rest. */
  public SD3 {
    adapter = List.copyOf(adapter);
    weights.expect(
        "transformer_blocks\\.\\d+\\.(norm1(_context)?\\.linear\\.(weight|bias)"
            + "|attn2?\\.(to_[qkv]|to_out\\.0|add_[qkv]_proj|to_add_out)\\.(weight|bias)"
            + "|attn2?\\.norm_(added_)?[qk]\\.weight"
            + "|ff(_context)?\\.net\\.(0\\.proj|2)\\.(weight|bias))"
            + "|(pos_embed|time_text_embed|context_embedder|norm_out|proj_out)\\..*");
  }

  @Override
  public boolean valuesFirst() {
    return true;
  }

  @Override
  public int attentions(int index) {
    return config.attentions(index) * (adapter.isEmpty() ? 1 : 2);
  }

  @Override
  public Modulations modulations(int index) {
    return Modulations.ofRows((index == depth() - 1 ? 8 : 12) + 3 * (config.attentions(index) - 1));
  }

  @Override
  public long shown(int index, long rows) {
    return adapter.isEmpty() ? 0 : TimedAdapter.kept(config.attentions(index), config.width());
  }

  @Override
  public boolean modulates() {
    return true;
  }

  @Override
  public Block<JointConditioning> block(int index, Share share) {
    return SD3Block.load(this, index, share);
  }

  @Override
  public Embedding<JointConditioning> embedding() {
    return new SD3Embedding(
        WeightMap.of(
            weights,
            w ->
                w.patches("pos_embed.proj", config.width(), config.patch())
                    .tensor(
                        "pos_embed.pos_embed",
                        1,
                        (long) config.table() * config.table(),
                        config.width())));
  }

  @Override
  public Head<JointConditioning> head() {
    int width = config.width();
    return ModulatedHead.load(
        weights,
        width,
        w -> w.patchHead("proj_out", width, config.patch()),
        c -> c.step().vector());
  }

  @Override
  public Conditioner<JointConditioning> conditioner() {
    return SD3Conditioner.load(config, weights, adapter);
  }
}
