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
import java.util.stream.IntStream;
import java.util.stream.LongStream;

/**
 * Projects the texts and refines that of the language model anew in each step; embeds the timestep.
 * Quoted texts come first. What is padding of every text is not there; nobody attends the rest of
 * it.
 *
 * @param weights all but those of {@code refiners}
 * @param refiners the blocks that refine the text
 */
record HunyuanVideoConditioner(
    HunyuanVideoConfig config, TensorMap weights, List<TensorMap> refiners)
    implements JointConditioner {
  private static final String EMBEDDER = "context_embedder.";

  static HunyuanVideoConditioner load(HunyuanVideoConfig config, int glyphInner, Weights weights) {
    long width = config.width();
    String both = EMBEDDER + "time_text_embed.";
    String glyphs = "context_embedder_2.";
    return new HunyuanVideoConditioner(
        config,
        WeightMap.of(
            weights,
            w ->
                w.mlp("time_embed.timestep_embedder", width, HunyuanVideoConfig.SINUSOIDS)
                    .mlp(both + "timestep_embedder", width, HunyuanVideoConfig.SINUSOIDS)
                    .mlp(both + "text_embedder", width, config.textWidth())
                    .linear(EMBEDDER + "proj_in", width, config.textWidth())
                    .norm(glyphs + "norm", config.glyphWidth())
                    .linear(glyphs + "linear_1", glyphInner, config.glyphWidth())
                    .linear(glyphs + "linear_2", glyphInner, glyphInner)
                    .linear(glyphs + "linear_3", width, glyphInner)
                    .tensor("cond_type_embed.weight", 3, width)),
        IntStream.range(0, config.refiners())
            .mapToObj(i -> weights.at(EMBEDDER + "token_refiner.refiner_blocks." + i + "."))
            .map(block -> WeightMap.of(block, w -> refiner(w, width)))
            .toList());
  }

  private static WeightMap refiner(WeightMap w, long width) {
    return w.norm("norm1", width)
        .linear("attn.to_q", width, width)
        .linear("attn.to_k", width, width)
        .linear("attn.to_v", width, width)
        .linear("attn.to_out.0", width, width)
        .norm("norm2", width)
        .linear("ff.net.0.proj", 4 * width, width)
        .linear("ff.net.2", width, 4 * width)
        .linear("norm_out.linear", 2 * width, width);
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
    NDManager owner = step.owner();
    try (NDManager scope = owner.newSubManager()) {
      NDArray condition = // (B, C)
          HunyuanVideo.PROGRAM.call(
              scope, "refiner_condition", step.timestep(), texts.pooled(), weights);
      NDArray x = texts.projected();
      for (TensorMap refiner : refiners) {
        x =
            HunyuanVideo.PROGRAM.call(
                scope, "refined", x, condition, texts.bias(), refiner, config.heads());
      }
      NDList first = new NDList(texts.glyphs().stream().limit(1).toList());
      return HunyuanVideo.PROGRAM.call(owner, "text", first, x, weights); // (B, G + T, C)
    }
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

  @Override
  public long parameterBytes() {
    return weights.bytes() + refiners.stream().mapToLong(TensorMap::bytes).sum();
  }

  @Override
  public void close() {
    refiners.forEach(TensorMap::close);
    weights.close();
  }
}
