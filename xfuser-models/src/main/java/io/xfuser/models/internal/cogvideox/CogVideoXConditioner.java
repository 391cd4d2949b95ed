package io.xfuser.models.internal.cogvideox;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.models.internal.joint.JointConditioner;
import io.xfuser.models.internal.joint.JointConditioning;
import io.xfuser.models.internal.parts.GridPositions;
import io.xfuser.models.internal.parts.StepModulations;
import io.xfuser.models.internal.weights.WeightMap;
import io.xfuser.models.internal.weights.Weights;
import io.xfuser.nn.Sequence.Axes;
import io.xfuser.torchscript.TensorMap;
import io.xfuser.transformer.ConditionInput;

/** Projects the text, embeds timesteps, says where tokens lie. */
record CogVideoXConditioner(CogVideoXConfig config, TensorMap weights) implements JointConditioner {
  static CogVideoXConditioner load(CogVideoXConfig config, Weights weights) {
    long width = config.width();
    long time = config.timeWidth();
    return new CogVideoXConditioner(
        config,
        WeightMap.of(
            weights,
            w ->
                w.linear("patch_embed.text_proj", width, config.textWidth())
                    .mlp("time_embedding", time, width)));
  }

  @Override
  public JointConditioning begin(NDManager request, ConditionInput input) {
    NDArray embeds = input.text(CogVideoXTextEncoder.EMBEDS); // (B, T, text width)
    NDArray text = CogVideoX.PROGRAM.call(request, "embed_text", embeds, weights); // (B, T, C)
    return new JointConditioning(
        text,
        config.places().rotary() ? turns(request, input, embeds) : added(request, input, embeds),
        new StepModulations(
            request,
            input.timesteps(),
            (to, t) -> CogVideoX.PROGRAM.call(to, "timestep", t, embeds, config.width(), weights)));
  }

  /** What places add to tokens, (l, C). */
  private NDArray added(NDManager request, ConditionInput input, NDArray like) {
    CogVideoXConfig.Places places = config.places();
    return GridPositions.ofVideo(
        request, input, like, places.space(), places.time(), config.width());
  }

  /** By how much queries and keys are turned, (l, D/2, 2). */
  private NDArray turns(NDManager request, ConditionInput input, NDArray like) {
    Axes axes = input.picture().sequence().denoised();
    Grid grid = config.overFrames() ? Grid.NUMBERS : Grid.within(config, axes);
    try (NDManager scope = request.newSubManager()) {
      return CogVideoX.PROGRAM.call(
          request,
          "turned",
          input.coordinates(scope, like),
          grid.starts(),
          grid.steps(),
          config.axes());
    }
  }

  /**
   * Where frames, rows and columns lie: number i at start + i · step.
   *
   * @param starts of each
   * @param steps of each
   */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  private record Grid(double[] starts, double[] steps) {
    /** At their numbers. */
    static final Grid NUMBERS = new Grid(new double[3], new double[] {1, 1, 1});

    /**
     * Rows and columns fill the size that the transformer was trained on along one axis, and lie in
     * its middle along the other: {@code get_resize_crop_region_for_grid} in diffusers. As there,
     * the end is scaled and not the length.
     */
    static Grid within(CogVideoXConfig config, Axes axes) {
      int side = config.patch().side();
      int height = config.usual().height() / side;
      int width = config.usual().width() / side;
      double rows = axes.rows();
      double columns = axes.columns();
      boolean tall = rows / columns > height / (double) width;
      int resizedHeight = tall ? height : (int) Math.rint(width / columns * rows);
      int resizedWidth = tall ? (int) Math.rint(height / rows * columns) : width;
      double top = Math.rint((height - resizedHeight) / 2.0);
      double left = Math.rint((width - resizedWidth) / 2.0);
      return new Grid(
          new double[] {0, top, left},
          new double[] {
            1, step(top, top + resizedHeight, rows), step(left, left + resizedWidth, columns)
          });
    }

    private static double step(double start, double end, double count) {
      return count == 1 ? 0 : (end * (count - 1) / count - start) / (count - 1);
    }
  }
}
