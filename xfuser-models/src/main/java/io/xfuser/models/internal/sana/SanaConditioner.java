package io.xfuser.models.internal.sana;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import io.xfuser.models.internal.parts.GridPositions;
import io.xfuser.models.internal.parts.PerBlock;
import io.xfuser.models.internal.parts.StepModulations;
import io.xfuser.models.internal.weights.WeightMap;
import io.xfuser.models.internal.weights.Weights;
import io.xfuser.torchscript.TensorMap;
import io.xfuser.transformer.ConditionInput;
import io.xfuser.transformer.Conditioner;
import java.util.List;

/** Projects the text and embeds the timestep. */
record SanaConditioner(SanaConfig config, TensorMap weights)
    implements Conditioner<SanaConditioning> {
  private static final int SINUSOIDS = 256;

  static SanaConditioner load(SanaConfig config, Weights weights) {
    long width = config.width();
    return new SanaConditioner(
        config,
        WeightMap.of(
            weights,
            w -> {
              w.mlp("caption_projection", width, config.captionChannels())
                  .scale("caption_norm", width)
                  .mlp(config.timestepEmbedder(), width, SINUSOIDS)
                  .linear("time_embed.linear", 6 * width, width);
              return config.guidanceScale().isPresent()
                  ? w.mlp("time_embed.guidance_embedder", width, SINUSOIDS)
                  : w;
            }));
  }

  @Override
  public SanaConditioning begin(NDManager request, ConditionInput input) {
    NDArray embeds = input.text(SanaTextEncoder.EMBEDS); // (B, S, text width)
    NDArray given = input.text(SanaTextEncoder.MASK); // (B, S)
    NDList caption = // (B, T, C), (B, 1, 1, T)
        Sana.PROGRAM.callList(
            request, "caption", embeds, given, Sana.PROGRAM.callLong("kept", given), weights);
    NDArray text = caption.get(0);
    List<NDArray> guidance = guidance(request, input, text);
    return new SanaConditioning(
        text,
        List.of(caption.get(1)),
        guidance,
        positions(request, input, text),
        input.picture().sequence().denoised().columns(),
        new PerBlock(request),
        new StepModulations(
            request, input.timesteps(), (to, t) -> modulation(to, embedded(to, text, guidance, t))),
        null);
  }

  private List<NDArray> positions(NDManager request, ConditionInput input, NDArray like) {
    if (config.interpolationScale().isEmpty()) {
      return List.of();
    }
    int base = config.sampleSize() / config.patch().size();
    double scale = config.interpolationScale().getAsDouble();
    return List.of(new GridPositions(config.width(), base, scale).of(request, input, like));
  }

  @Override
  public SanaConditioning at(NDManager step, SanaConditioning c, double timestep) {
    NDArray embedded = embedded(step, c.text(), c.guidance(), timestep);
    return c.at(new SanaConditioning.Step(c.steps().at(step, timestep), embedded));
  }

  /** The embedded timestep (1, C). */
  private NDArray embedded(NDManager owner, NDArray like, List<NDArray> guidance, double timestep) {
    if (config.guidanceScale().isPresent()) { // whose pipeline leaves timestep_scale alone
      return Sana.PROGRAM.call(owner, "guided_timestep", timestep, like, guidance.get(0), weights);
    }
    double scaled = timestep * config.timestepScale();
    return Sana.PROGRAM.call(owner, "timestep", scaled, like, weights);
  }

  /** The embedded guidance (1, C), of a model that is told it. */
  private List<NDArray> guidance(NDManager request, ConditionInput input, NDArray like) {
    double told = input.picture().guidance();
    return config.guidanceScale().stream()
        .mapToObj(scale -> Sana.PROGRAM.call(request, "guidance", told, scale, like, weights))
        .toList();
  }

  /** What all blocks make their modulations of, (1, 6·C). */
  private NDArray modulation(NDManager owner, NDArray embedded) {
    return Sana.PROGRAM.call(owner, "timestep_modulation", embedded, weights);
  }
}
