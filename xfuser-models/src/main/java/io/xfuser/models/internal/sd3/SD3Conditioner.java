package io.xfuser.models.internal.sd3;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.models.internal.adapter.TimedAdapter;
import io.xfuser.models.internal.joint.JointConditioner;
import io.xfuser.models.internal.joint.JointConditioning;
import io.xfuser.models.internal.parts.StepModulations;
import io.xfuser.models.internal.weights.WeightMap;
import io.xfuser.models.internal.weights.Weights;
import io.xfuser.nn.Sequence.Axes;
import io.xfuser.torchscript.TensorMap;
import io.xfuser.transformer.ConditionInput;
import java.util.List;

/** Projects the text, embeds the timestep and the pooled text. */
record SD3Conditioner(SD3Config config, TensorMap weights, List<TimedAdapter> adapter)
    implements JointConditioner {
  private static final int SINUSOIDS = 256;

  static SD3Conditioner load(SD3Config config, Weights weights, List<TimedAdapter> adapter) {
    long width = config.width();
    String embed = "time_text_embed";
    return new SD3Conditioner(
        config,
        WeightMap.of(
            weights,
            w -> {
              WeightMap map =
                  w.linear("context_embedder", width, config.textWidth())
                      .mlp(embed + ".timestep_embedder", width, SINUSOIDS)
                      .mlp(embed + ".text_embedder", width, config.pooledWidth());
              for (TimedAdapter one : adapter) {
                map = one.resampler(map, width);
              }
              return map;
            }),
        adapter);
  }

  @Override
  public JointConditioning begin(NDManager request, ConditionInput input) {
    NDArray embeds = input.text(SD3TextEncoder.EMBEDS); // (B, T, text width)
    NDArray pooled = input.text(SD3TextEncoder.POOLED); // (B, pooled width)
    Axes axes = input.picture().sequence().denoised();
    int side = config.table();
    int corner = (side - axes.rows()) / 2 * side + (side - axes.columns()) / 2;
    NDArray fixed = SD3.PROGRAM.call(request, "embed_pooled", pooled, weights); // (B, C)
    try (NDManager scope = request.newSubManager()) {
      JointConditioning plain =
          new JointConditioning(
              SD3.PROGRAM.call(request, "embed_text", embeds, weights), // (B, T, C)
              SD3.PROGRAM.call( // (l)
                  request, "crop", input.coordinates(scope, embeds), corner, side),
              new StepModulations(
                  request,
                  input.timesteps(),
                  (to, t) -> SD3.PROGRAM.call(to, "condition", t, fixed, weights)));
      return plain.showing(
          adapter.stream()
              .flatMap(one -> SD3Pictures.of(request, input, one, weights).stream())
              .findFirst());
    }
  }
}
