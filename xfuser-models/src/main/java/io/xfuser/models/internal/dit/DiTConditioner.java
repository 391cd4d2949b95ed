package io.xfuser.models.internal.dit;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.models.internal.parts.GridPositions;
import io.xfuser.models.internal.parts.StepModulations;
import io.xfuser.torchscript.TensorMap;
import io.xfuser.transformer.ConditionInput;
import io.xfuser.transformer.Conditioner;

/** Has no weights: every block embeds time and class itself. */
record DiTConditioner(DiTConfig config, TensorMap weights) implements Conditioner<DiTConditioning> {
  @Override
  public DiTConditioning begin(NDManager request, ConditionInput input) {
    NDArray labels = input.text(ClassLabels.LABELS); // (B)
    GridPositions positions = new GridPositions(config.width(), config.grid(), 1);
    return new DiTConditioning(
        labels,
        positions.of(request, input, labels),
        new StepModulations(
            request, input.timesteps(), (to, t) -> DiT.PROGRAM.call(to, "times", t, labels)),
        null);
  }

  @Override
  public DiTConditioning at(NDManager step, DiTConditioning c, double value) {
    return c.at(c.steps().at(step, value));
  }
}
