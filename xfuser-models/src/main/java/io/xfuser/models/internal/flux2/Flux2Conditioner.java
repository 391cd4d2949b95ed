package io.xfuser.models.internal.flux2;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.models.internal.joint.JointConditioner;
import io.xfuser.models.internal.joint.JointConditioning;
import io.xfuser.models.internal.parts.StepModulations;
import io.xfuser.models.internal.weights.WeightMap;
import io.xfuser.models.internal.weights.Weights;
import io.xfuser.torchscript.TensorMap;
import io.xfuser.transformer.ConditionInput;

/**
 * Projects the text; embeds the timestep and, for dev, the guidance, and makes of them what
 * modulates all blocks.
 */
record Flux2Conditioner(Flux2Config config, TensorMap weights) implements JointConditioner {
  private static final int SINUSOIDS = 256;

  static Flux2Conditioner load(Flux2Config config, Weights weights) {
    long width = config.width();
    return new Flux2Conditioner(
        config,
        WeightMap.of(
            weights,
            all -> {
              WeightMap w = all.withoutBias();
              w.linear("context_embedder", width, config.textWidth())
                  .linear("double_stream_modulation_img.linear", 6 * width, width)
                  .linear("double_stream_modulation_txt.linear", 6 * width, width)
                  .linear("single_stream_modulation.linear", 3 * width, width)
                  .mlp("time_guidance_embed.timestep_embedder", width, SINUSOIDS);
              return config.guidance()
                  ? w.mlp("time_guidance_embed.guidance_embedder", width, SINUSOIDS)
                  : w;
            }));
  }

  @Override
  public JointConditioning begin(NDManager request, ConditionInput input) {
    NDArray embeds = input.text(Flux2TextEncoder.EMBEDS); // (B, T, text width)
    NDArray text = Flux2.PROGRAM.call(request, "embed_text", embeds, weights); // (B, T, C)
    double[] guidance =
        config.guidance() ? new double[] {input.picture().guidance()} : new double[0];
    return new JointConditioning(
        text,
        rotation(request, input, text),
        new StepModulations(
            request,
            input.timesteps(),
            (to, t) -> Flux2.PROGRAM.call(to, "condition", t, guidance, text, weights)));
  }

  /** Cosines and sines of the text and of the image tokens after it, (T + l, D/2, 2). */
  private NDArray rotation(NDManager request, ConditionInput input, NDArray text) {
    long[] axes = config.axes().stream().mapToLong(Integer::longValue).toArray();
    try (NDManager scope = request.newSubManager()) {
      return Flux2.PROGRAM.call(
          request, "rotation", text, input.coordinates(scope, text), axes, config.theta());
    }
  }
}
