package io.xfuser.models.internal.hunyuanvideo15;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import io.xfuser.models.internal.joint.JointConditioner;
import io.xfuser.models.internal.joint.JointConditioning;
import io.xfuser.models.internal.parts.StepModulations;
import io.xfuser.models.internal.weights.WeightMap;
import io.xfuser.models.internal.weights.Weights;
import io.xfuser.torchscript.TensorMap;
import io.xfuser.transformer.ConditionInput;
import java.util.List;
import java.util.stream.LongStream;

/**
 * Projects the texts and refines that of the language model anew in each step; embeds the timestep.
 * Quoted texts come first. What is padding of every text is not there; nobody attends the rest of
 * it.
 */
record HunyuanVideoConditioner(HunyuanVideoConfig config, TensorMap weights)
    implements JointConditioner {
  static HunyuanVideoConditioner load(HunyuanVideoConfig config, int glyphInner, Weights weights) {
    return new HunyuanVideoConditioner(
        config, WeightMap.of(weights, w -> read(w, config, glyphInner)));
  }

  private static WeightMap read(WeightMap w, HunyuanVideoConfig config, int glyphInner) {
    long width = config.width();
    String text = "context_embedder.";
    String glyphs = "context_embedder_2.";
    w.mlp("time_embed.timestep_embedder", width, HunyuanVideoConfig.SINUSOIDS)
        .mlp(text + "time_text_embed.timestep_embedder", width, HunyuanVideoConfig.SINUSOIDS)
        .mlp(text + "time_text_embed.text_embedder", width, config.textWidth())
        .linear(text + "proj_in", width, config.textWidth())
        .norm(glyphs + "norm", config.glyphWidth())
        .linear(glyphs + "linear_1", glyphInner, config.glyphWidth())
        .linear(glyphs + "linear_2", glyphInner, glyphInner)
        .linear(glyphs + "linear_3", width, glyphInner)
        .tensor("cond_type_embed.weight", 3, width);
    for (int i = 0; i < config.refiners(); i++) {
      String block = text + "token_refiner.refiner_blocks." + i + ".";
      for (String layer : List.of("attn.to_q", "attn.to_k", "attn.to_v", "attn.to_out.0")) {
        w.linear(block + layer, width, width);
      }
      w.norm(block + "norm1", width)
          .norm(block + "norm2", width)
          .linear(block + "ff.net.0.proj", 4 * width, width)
          .linear(block + "ff.net.2", width, 4 * width)
          .linear(block + "norm_out.linear", 2 * width, width);
    }
    return w;
  }

  @Override
  public JointConditioning begin(NDManager request, ConditionInput input) {
    NDArray embeds = input.text(HunyuanVideoTextEncoder.EMBEDS); // (B, T, text width)
    NDArray mask = input.text(HunyuanVideoTextEncoder.MASK); // (B, T)
    NDArray pooled = // (B, C)
        HunyuanVideo.PROGRAM.call(request, "pooled", embeds, mask, weights);
    NDArray projected = HunyuanVideo.PROGRAM.call(request, "project_text", embeds, weights);
    NDList glyphs = glyphs(request, input); // (B, G, C) and (B, G), or none
    NDList bias = // (B, 1, 1, T), or none
        isWhole(mask) ? new NDList() : HunyuanVideo.PROGRAM.callList(request, "bias", mask, embeds);
    NDArray places = rotation(request, input, embeds);
    NDArray all = // (B, G + T)
        glyphs.isEmpty() ? mask : HunyuanVideo.PROGRAM.call(request, "masks", glyphs.get(1), mask);
    return new JointConditioning(
            projected,
            isWhole(all) ? null : all,
            null,
            places,
            null,
            new StepModulations(
                request,
                input.timesteps(),
                (to, t) -> HunyuanVideo.PROGRAM.call(to, "condition", t, embeds, weights)))
        .refined(step -> refined(step, new Texts(projected, pooled, bias, glyphs)));
  }

  /**
   * Of one request.
   *
   * @param projected the language model's (B, T, C)
   * @param pooled the same as one vector (B, C)
   * @param bias none, or what keeps padding from being attended (B, 1, 1, T)
   * @param glyphs none, or quoted texts (B, G, C) and their mask
   */
  private record Texts(NDArray projected, NDArray pooled, NDList bias, NDList glyphs) {}

  private NDArray refined(StepModulations.Now step, Texts texts) {
    return HunyuanVideo.PROGRAM.call( // (B, G + T, C)
        step.owner(),
        "refined",
        step.timestep(),
        texts.projected(),
        texts.pooled(),
        texts.bias(),
        new NDList(texts.glyphs().stream().limit(1).toList()),
        weights,
        config.refiners(),
        config.heads());
  }

  /** Quoted texts, if one of the prompts has any. */
  private NDList glyphs(NDManager request, ConditionInput input) {
    NDArray mask = input.text(HunyuanVideoTextEncoder.GLYPH_MASK); // (B, G)
    if (LongStream.of(mask.toLongArray()).allMatch(value -> value == 0)) {
      return new NDList();
    }
    NDArray embeds = input.text(HunyuanVideoTextEncoder.GLYPHS); // (B, G, glyph width)
    return new NDList(HunyuanVideo.PROGRAM.call(request, "project_glyphs", embeds, weights), mask);
  }

  private NDArray rotation(NDManager request, ConditionInput input, NDArray like) {
    long[] axes = config.axes().stream().mapToLong(Integer::longValue).toArray();
    try (NDManager scope = request.newSubManager()) {
      return HunyuanVideo.PROGRAM.call( // (l, D/2, 2)
          request, "rotation", input.coordinates(scope, like), axes, config.theta());
    }
  }

  private static boolean isWhole(NDArray mask) {
    return LongStream.of(mask.toLongArray()).allMatch(value -> value == 1);
  }
}
