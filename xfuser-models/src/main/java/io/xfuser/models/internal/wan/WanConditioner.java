package io.xfuser.models.internal.wan;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.failure.ArgumentException;
import io.xfuser.models.internal.parts.PerBlock;
import io.xfuser.models.internal.parts.TwoTimesteps;
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
              if (config.seesPictures()) {
                readPicture(w, exact, config);
              }
              return w.reading(exact).mlp(EMBEDDER + "time_embedder", width, WanConfig.SINUSOIDS);
            }));
  }

  private static void readPicture(WeightMap w, Weights exact, WanConfig config) {
    String name = EMBEDDER + "image_embedder.";
    long seen = config.pictureWidth();
    w.linear(name + "ff.net.0.proj", seen, seen).linear(name + "ff.net.2", config.width(), seen);
    if (config.picturePlaces() > 0) {
      w.tensor(name + "pos_embed", 1, config.picturePlaces(), seen);
    }
    w.reading(exact).norm(name + "norm1", seen).norm(name + "norm2", config.width());
  }

  @Override
  public WanConditioning begin(NDManager request, ConditionInput input) {
    NDArray embeds = input.text(WanTextEncoder.EMBEDS); // (B, T, text width)
    NDArray text = Wan.PROGRAM.call(request, "project_text", embeds, weights); // (B, T, C)
    NDArray picture = // (B, I, C)
        config.seesPictures()
            ? Wan.PROGRAM.call(request, "project_picture", seen(input), weights)
            : null;
    try (NDManager scope = request.newSubManager()) {
      NDArray at = input.coordinates(scope, text); // (l, 4)
      return new WanConditioning(
          text,
          picture,
          Wan.PROGRAM.call(request, "rotation", at, config.axes()),
          new PerBlock(request),
          new TwoTimesteps(
              request, input, (owner, t) -> embedded(owner, text, t), this::modulation),
          null);
    }
  }

  /** What pictures are seen as, (B, I, picture width), which a caller may have given. */
  private NDArray seen(ConditionInput input) {
    NDArray states = input.text(WanTextEncoder.PICTURE);
    long count = states.getShape().get(1);
    boolean placed = config.picturePlaces() == 0 || config.picturePlaces() == count;
    if (!placed || states.getShape().get(2) != config.pictureWidth()) {
      throw new ArgumentException(
          "%s have %d states of width %d, but the transformer has image_dim %d and pos_embed_seq_len %d"
              .formatted(
                  WanTextEncoder.PICTURE,
                  count,
                  states.getShape().get(2),
                  config.pictureWidth(),
                  config.picturePlaces()));
    }
    return states;
  }

  @Override
  public WanConditioning at(NDManager step, WanConditioning c, double timestep) {
    return c.at(c.steps().at(step, timestep));
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
