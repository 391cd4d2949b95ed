package io.xfuser.models.pixart;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import io.xfuser.torchscript.TensorList;
import io.xfuser.torchscript.Torch;
import io.xfuser.transformer.ConditionInput;
import io.xfuser.transformer.Conditioner;
import io.xfuser.transformer.GridPositions;
import io.xfuser.weights.WeightList;
import io.xfuser.weights.Weights;
import java.util.List;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/** Embeds the timestep and, for α at 1024 pixels, the picture's size; projects captions. */
record PixArtConditioner(PixArtConfig config, TensorList weights)
    implements Conditioner<PixArtConditioning> {
  private static final int SINUSOIDS = 256;

  static PixArtConditioner load(PixArtConfig config, Weights weights) {
    long width = config.width();
    String adaln = "adaln_single.";
    UnaryOperator<WeightList> sizes =
        w ->
            w.mlp(adaln + "emb.resolution_embedder.", width / 3, SINUSOIDS)
                .mlp(adaln + "emb.aspect_ratio_embedder.", width / 3, SINUSOIDS);
    return new PixArtConditioner(
        config,
        WeightList.of(
            weights,
            w -> {
              w.mlp("caption_projection.", width, config.captionChannels())
                  .mlp(adaln + "emb.timestep_embedder.", width, SINUSOIDS)
                  .linear(adaln + "linear", 6 * width, width);
              return config.sizeConditions() ? sizes.apply(w) : w;
            }));
  }

  @Override
  public PixArtConditioning begin(NDManager request, ConditionInput input) {
    NDArray mask = input.text(PixArtTextEncoder.MASK); // (B, T)
    NDArray embeds = input.text(PixArtTextEncoder.EMBEDS); // (B, T, text width)
    long kept = PixArt.PROGRAM.callLong("kept_text", mask);
    try (NDManager scope = request.newSubManager()) {
      NDArray text = // (B, T, C)
          PixArt.PROGRAM.call(
              request, "project_caption", Torch.slice(scope, embeds, 1, 0, kept), weights);
      NDArray bias = // (B, 1, 1, T)
          PixArt.PROGRAM.call(request, "mask_bias", Torch.slice(scope, mask, 1, 0, kept), text);
      NDArray positions = // (l, C)
          new GridPositions(config.width(), config.baseGrid(), config.interpolationScale())
              .of(request, input, text);
      return new PixArtConditioning(request, text, bias, positions, sizes(request, input));
    }
  }

  private @Nullable NDArray sizes(NDManager request, ConditionInput input) {
    if (!config.sizeConditions()) {
      return null;
    }
    return PixArt.PROGRAM.call( // (1, C)
        request,
        "size_condition",
        (double) input.picture().height(),
        (double) input.picture().width(),
        (double) input.picture().height() / input.picture().width(),
        weights);
  }

  @Override
  public PixArtConditioning at(NDManager step, PixArtConditioning c, double value) {
    NDArray sizes = c.sizes();
    NDList both = // (6, C) and (C)
        PixArt.PROGRAM.callList(
            step, "timestep", value, weights, sizes == null ? List.of() : List.of(sizes));
    return c.at(both.get(0), both.get(1));
  }
}
