package io.xfuser.models.pixart;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import io.xfuser.torchscript.TensorList;
import io.xfuser.torchscript.Torch;
import io.xfuser.transformer.ConditionInput;
import io.xfuser.transformer.Conditioner;
import io.xfuser.weights.Weights;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Embeds the timestep and, for α at 1024 pixels, the picture's size; projects captions. */
final class PixArtConditioner implements Conditioner<PixArtConditioning> {
  private static final int SINUSOIDS = 256;

  private final PixArtConfig config;
  private final TensorList timestep;
  private final TensorList caption;

  private PixArtConditioner(PixArtConfig config, TensorList timestep, TensorList caption) {
    this.config = config;
    this.timestep = timestep;
    this.caption = caption;
  }

  static PixArtConditioner load(PixArtConfig config, Weights weights) {
    long width = config.width();
    try (NDManager scope = Torch.newManager()) {
      Weights adaln = weights.at("adaln_single.");
      List<NDArray> w = new ArrayList<>(mlp(scope, adaln.at("emb.timestep_embedder."), width));
      w.add(adaln.get(scope, "linear.weight", 6 * width, width));
      w.add(adaln.get(scope, "linear.bias", 6 * width));
      if (config.sizeConditions()) {
        w.addAll(mlp(scope, adaln.at("emb.resolution_embedder."), width / 3));
        w.addAll(mlp(scope, adaln.at("emb.aspect_ratio_embedder."), width / 3));
      }
      Weights projection = weights.at("caption_projection.");
      return new PixArtConditioner(
          config,
          TensorList.of(w),
          TensorList.of(
              projection.get(scope, "linear_1.weight", width, config.captionChannels()),
              projection.get(scope, "linear_1.bias", width),
              projection.get(scope, "linear_2.weight", width, width),
              projection.get(scope, "linear_2.bias", width)));
    }
  }

  private static List<NDArray> mlp(NDManager scope, Weights w, long width) {
    return List.of(
        w.get(scope, "linear_1.weight", width, SINUSOIDS),
        w.get(scope, "linear_1.bias", width),
        w.get(scope, "linear_2.weight", width, width),
        w.get(scope, "linear_2.bias", width));
  }

  @Override
  public PixArtConditioning begin(NDManager request, ConditionInput input) {
    NDArray mask = text(input, PixArtTextEncoder.MASK); // (B, T)
    NDArray embeds = text(input, PixArtTextEncoder.EMBEDS); // (B, T, text width)
    long kept = PixArt.PROGRAM.callLong("kept_text", mask);
    try (NDManager scope = request.newSubManager()) {
      NDArray text = // (B, T, C)
          PixArt.PROGRAM.call(
              request, "project_caption", Torch.slice(scope, embeds, 1, 0, kept), caption);
      NDArray bias = // (B, 1, 1, T)
          PixArt.PROGRAM.call(request, "mask_bias", Torch.slice(scope, mask, 1, 0, kept), text);
      return new PixArtConditioning(
          request, text, bias, positions(request, input, text), sizes(request, input));
    }
  }

  private static NDArray text(ConditionInput input, String name) {
    NDArray tensor = input.text().get(name);
    if (tensor == null) {
      throw new IllegalArgumentException(
          "PixArt needs the text tensor " + name + ", given are " + input.text().keySet());
    }
    return tensor;
  }

  private NDArray positions(NDManager request, ConditionInput input, NDArray like) {
    return PixArt.PROGRAM.call( // (l, C)
        request,
        "position_embedding",
        input.positions().stream().mapToLong(Long::longValue).toArray(),
        input.grid().rows(),
        input.grid().columns(),
        (double) config.baseGrid(),
        config.interpolationScale(),
        config.width(),
        like);
  }

  private @Nullable NDArray sizes(NDManager request, ConditionInput input) {
    if (!config.sizeConditions()) {
      return null;
    }
    return PixArt.PROGRAM.call( // (1, C)
        request,
        "size_condition",
        (double) input.height(),
        (double) input.width(),
        (double) input.height() / input.width(),
        timestep);
  }

  @Override
  public PixArtConditioning at(NDManager step, PixArtConditioning c, double value) {
    NDArray sizes = c.sizes();
    NDList both = // (6, C) and (C)
        PixArt.PROGRAM.callList(
            step, "timestep", value, timestep, sizes == null ? List.of() : List.of(sizes));
    return c.at(both.get(0), both.get(1));
  }

  @Override
  public long parameterBytes() {
    return timestep.bytes() + caption.bytes();
  }

  @Override
  public void close() {
    timestep.close();
    caption.close();
  }
}
