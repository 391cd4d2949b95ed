package io.xfuser.models.internal.adaln;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.models.internal.parts.GridPositions;
import io.xfuser.models.internal.parts.PerBlock;
import io.xfuser.models.internal.parts.StepModulations;
import io.xfuser.models.internal.text.Captions;
import io.xfuser.models.internal.weights.WeightMap;
import io.xfuser.models.internal.weights.Weights;
import io.xfuser.torchscript.TensorMap;
import io.xfuser.torchscript.Torch;
import io.xfuser.transformer.ConditionInput;
import io.xfuser.transformer.Conditioner;
import java.util.List;

/** Embeds the timestep and, with size conditions, the picture's size; projects captions. */
record AdaLnConditioner(AdaLnConfig config, TensorMap weights)
    implements Conditioner<AdaLnConditioning> {
  private static final int SINUSOIDS = 256;

  static AdaLnConditioner load(AdaLnConfig config, Weights weights) {
    long width = config.width();
    return new AdaLnConditioner(
        config,
        WeightMap.of(
            weights,
            w -> {
              w.mlp("caption_projection", width, config.captionChannels())
                  .mlp("adaln_single.emb.timestep_embedder", width, SINUSOIDS)
                  .linear("adaln_single.linear", 6 * width, width);
              return config.sizeConditions()
                  ? w.mlp("adaln_single.emb.resolution_embedder", width / 3, SINUSOIDS)
                      .mlp("adaln_single.emb.aspect_ratio_embedder", width / 3, SINUSOIDS)
                  : w;
            }));
  }

  @Override
  public AdaLnConditioning begin(NDManager request, ConditionInput input) {
    NDArray embeds = input.text(Captions.EMBEDS); // (B, T, text width)
    GridPositions positions =
        new GridPositions(config.width(), config.baseGrid(), config.interpolationScale());
    try (NDManager scope = request.newSubManager()) {
      NDArray text = embeds;
      List<NDArray> bias = List.of();
      if (config.captionMasks()) {
        NDArray mask = input.text(Captions.MASK); // (B, T)
        long kept = AdaLn.PROGRAM.callLong("kept_text", mask);
        text = Torch.slice(scope, embeds, 1, 0, kept);
        NDArray keptMask = Torch.slice(scope, mask, 1, 0, kept);
        bias = List.of(AdaLn.PROGRAM.call(request, "mask_bias", keptMask, text)); // (B, 1, 1, T)
      }
      NDArray projected = // (B, T, C)
          AdaLn.PROGRAM.call(request, "project_caption", text, weights);
      List<NDArray> sizes = sizes(request, input, text);
      return new AdaLnConditioning(
          projected,
          bias,
          positions.of(request, input, text),
          sizes,
          input.picture().frames(),
          new PerBlock(request),
          new StepModulations(
              request, input.timesteps(), (to, t) -> modulation(to, projected, sizes, t)),
          null);
    }
  }

  private List<NDArray> sizes(NDManager request, ConditionInput input, NDArray like) {
    if (!config.sizeConditions()) {
      return List.of();
    }
    double height = input.picture().height();
    double width = input.picture().width();
    return List.of( // (1, C)
        AdaLn.PROGRAM.call(
            request, "size_condition", height, width, height / width, like, weights));
  }

  @Override
  public AdaLnConditioning at(NDManager step, AdaLnConditioning c, double value) {
    return c.at(
        new AdaLnConditioning.Timestep(
            c.steps().at(step, value), embedded(step, c.text(), c.sizes(), value)));
  }

  /** The embedded timestep (1, C). */
  private NDArray embedded(NDManager owner, NDArray like, List<NDArray> sizes, double value) {
    return AdaLn.PROGRAM.call(owner, "timestep", value, like, weights, sizes);
  }

  /** What all blocks make their modulations of, (1, 6·C). */
  private NDArray modulation(NDManager owner, NDArray like, List<NDArray> sizes, double value) {
    try (NDManager scope = owner.newSubManager()) {
      NDArray embedded = embedded(scope, like, sizes, value);
      return AdaLn.PROGRAM.call(owner, "timestep_modulation", embedded, weights);
    }
  }
}
