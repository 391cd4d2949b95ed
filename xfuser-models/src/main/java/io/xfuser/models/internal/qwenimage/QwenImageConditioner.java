package io.xfuser.models.internal.qwenimage;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.models.internal.joint.JointConditioner;
import io.xfuser.models.internal.joint.JointConditioning;
import io.xfuser.models.internal.parts.StepModulations;
import io.xfuser.models.internal.weights.WeightMap;
import io.xfuser.models.internal.weights.Weights;
import io.xfuser.nn.Sequence.Axes;
import io.xfuser.torchscript.TensorMap;
import io.xfuser.transformer.ConditionInput;
import java.util.List;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;

/** Projects the text, embeds the timestep, and gives each token its place. */
record QwenImageConditioner(QwenImageConfig config, TensorMap weights) implements JointConditioner {
  private static final int SINUSOIDS = 256;

  static QwenImageConditioner load(QwenImageConfig config, Weights weights) {
    return new QwenImageConditioner(
        config,
        WeightMap.of(
            weights,
            w ->
                w.linear("txt_in", config.width(), config.textWidth())
                    .mlp("time_text_embed.timestep_embedder", config.width(), SINUSOIDS)
                    .scale("txt_norm", config.textWidth())));
  }

  @Override
  public JointConditioning begin(NDManager request, ConditionInput input) {
    NDArray embeds = input.text(QwenImageTextEncoder.EMBEDS); // (B, T, text width)
    NDArray text = QwenImage.PROGRAM.call(request, "embed_text", embeds, weights); // (B, T, C)
    List<Axes> segments = input.picture().sequence().segments();
    long[] axes = config.axes().stream().mapToLong(Integer::longValue).toArray();
    int farthest = 0;
    long[] middles = new long[2 * segments.size()];
    for (int i = 0; i < segments.size(); i++) {
      Axes segment = segments.get(i);
      farthest = Math.max(farthest, Math.max(segment.rows(), segment.columns()) / 2);
      middles[2 * i] = (segment.rows() + 1L) / 2;
      middles[2 * i + 1] = (segment.columns() + 1L) / 2;
    }
    try (NDManager scope = request.newSubManager()) {
      NDArray at = input.coordinates(scope, embeds); // (l, 4)
      return new JointConditioning(
          text,
          unlessWhole(input.text(QwenImageTextEncoder.MASK)),
          QwenImage.PROGRAM.call(request, "text_rotation", text, farthest, axes), // (T, D/2, 2)
          QwenImage.PROGRAM.call(request, "image_rotation", at, middles, axes), // (l, D/2, 2)
          config.still() ? QwenImage.PROGRAM.call(request, "later_segment", at) : null, // (l)
          new StepModulations(
              request,
              input.timesteps(),
              (to, t) ->
                  QwenImage.PROGRAM.call(
                      to, config.still() ? "conditions" : "condition", t, text, weights)));
    }
  }

  private static @Nullable NDArray unlessWhole(NDArray mask) {
    return LongStream.of(mask.toLongArray()).allMatch(value -> value == 1) ? null : mask;
  }
}
