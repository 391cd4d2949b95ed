package io.xfuser.models.internal.wan;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.models.internal.parts.PerBlock;
import io.xfuser.models.internal.parts.StepModulations;
import io.xfuser.models.internal.weights.WeightMap;
import io.xfuser.models.internal.weights.Weights;
import io.xfuser.torchscript.TensorMap;
import io.xfuser.transformer.ConditionInput;
import io.xfuser.transformer.Conditioner;

/** Projects the text, embeds timesteps, says where tokens lie. */
record WanConditioner(WanConfig config, TensorMap weights) implements Conditioner<WanConditioning> {
  private static final String EMBEDDER = "condition_embedder.";

  static WanConditioner load(WanConfig config, Weights weights, Weights exact) {
    long width = config.width();
    return new WanConditioner(
        config,
        WeightMap.of(
            weights,
            w -> {
              w.mlp(EMBEDDER + "text_embedder", width, config.textWidth())
                  .linear(EMBEDDER + "time_proj", 6 * width, width);
              return w.reading(exact).mlp(EMBEDDER + "time_embedder", width, WanConfig.SINUSOIDS);
            }));
  }

  @Override
  public WanConditioning begin(NDManager request, ConditionInput input) {
    NDArray embeds = input.text(WanTextEncoder.EMBEDS); // (B, T, text width)
    NDArray text = Wan.PROGRAM.call(request, "project_text", embeds, weights); // (B, T, C)
    try (NDManager scope = request.newSubManager()) {
      NDArray at = input.coordinates(scope, text); // (l, 4)
      return new WanConditioning(
          text,
          Wan.PROGRAM.call(request, "rotation", at, config.axes()),
          new PerBlock(request),
          new StepModulations(
              request, input.timesteps(), (to, t) -> modulation(to, embedded(to, text, t))),
          null);
    }
  }

  @Override
  public WanConditioning at(NDManager step, WanConditioning c, double timestep) {
    NDArray embedded = embedded(step, c.text(), timestep);
    return c.at(new WanConditioning.Step(c.steps().at(step, timestep), embedded));
  }

  /** The embedded timestep (1, C). */
  private NDArray embedded(NDManager owner, NDArray like, double timestep) {
    return Wan.PROGRAM.call(owner, "timestep", timestep, like, weights);
  }

  /** What all blocks make their modulations of, (1, 6·C). */
  private NDArray modulation(NDManager owner, NDArray embedded) {
    return Wan.PROGRAM.call(owner, "timestep_modulation", embedded, weights);
  }
}
