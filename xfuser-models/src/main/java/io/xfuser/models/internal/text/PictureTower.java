package io.xfuser.models.internal.text;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.xfuser.internal.picture.Bitmap;
import io.xfuser.models.internal.weights.Inner;
import io.xfuser.models.internal.weights.Joined;
import io.xfuser.models.internal.weights.WeightMap;
import io.xfuser.models.internal.weights.Weights;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Program;
import io.xfuser.torchscript.TensorMap;
import io.xfuser.weights.Share;
import java.util.List;
import java.util.regex.Pattern;

/**
 * The picture side of a language model: transformers' {@code
 * Qwen2_5_VisionTransformerPretrainedModel}. Most layers see a window of the picture, some all of
 * it. Safe for use by several threads.
 */
final class PictureTower implements AutoCloseable {
  private static final Program PROGRAM =
      Program.load(PictureTower.class, "encoder.py", "decoder.py", "vision.py");

  private static final EncoderWeights.Names NAMES =
      new EncoderWeights.Names(List.of("model.visual", "visual"), Pattern.compile(""));

  private final VisionConfig config;
  private final ElementType type;
  private final EncoderWeights weights;

  /**
   * Opens it, whole.
   *
   * @throws io.xfuser.failure.ModelException if the configuration is not supported, or the weights
   *     do not fit it
   */
  PictureTower(EncoderFolder folder) {
    config = VisionConfig.of(folder.config());
    type = folder.loading().type();
    weights = EncoderWeights.open(folder, NAMES, this::read);
  }

  private void read(EncoderWeights to, Weights file) {
    to.outside(WeightMap.of(file, this::outside));
    for (int i = 0; i < config.layers(); i++) {
      to.addLayer(WeightMap.of(file.at("blocks." + i + "."), Share.WHOLE, this::layer));
    }
  }

  private WeightMap outside(WeightMap w) {
    int p = config.patch();
    long merged = (long) config.group() * config.width();
    return w.tensor(
            (owner, kernel) -> PROGRAM.call(owner, "as_matrix", kernel),
            "patch_embed.proj.weight",
            config.width(),
            3,
            config.frames(),
            p,
            p)
        .scale("merger.ln_q", config.width())
        .linear("merger.mlp.0", merged, merged)
        .linear("merger.mlp.2", config.out(), merged);
  }

  private WeightMap layer(WeightMap w) {
    long width = config.width();
    Inner neurons = Inner.neurons(config.innerWidth());
    return w.scale("norm1", width)
        .scale("norm2", width)
        .linear("attn.qkv", 3 * width, width)
        .linear("attn.proj", width, width)
        .inward(Joined.under("mlp", "gate_up_proj", "gate_proj", "up_proj"), neurons, width)
        .outward("mlp.down_proj", width, neurons);
  }

  /** What the language model reads in the place of {@code picture}, whose size fits: (N/m², C'). */
  NDArray states(NDManager owner, Bitmap picture, PictureSizes sizes) {
    PictureWindows windows = PictureWindows.of(picture, config);
    int group = config.group();
    try (NDManager scope = owner.newSubManager()) {
      NDArray order = tensor(scope, windows.order(), new Shape(windows.order().length));
      NDArray all = tensor(scope, windows.places(), new Shape(windows.places().length / 2, 2));
      NDArray at = PROGRAM.call(scope, "grouped", all, order, group); // (N, 2)
      NDArray rotation = PROGRAM.call(scope, "patch_rotation", at, config.headWidth());
      NDArray x = patches(scope, picture, sizes);
      x = PROGRAM.call(scope, "embed_patches", x, order, group, weights.outside()); // (N, C)
      long[] whole = {x.getShape().get(0)};
      for (int i = 0; i < config.layers(); i++) {
        long[] lengths = config.whole().contains(i) ? whole : windows.lengths();
        EncoderWeights.Layers next = new EncoderWeights.Layers(x, i, i + 1);
        NDArray y = weights.run(scope, next, (to, in, w) -> layer(to, in, w, rotation, lengths));
        x.close();
        x = y;
      }
      NDArray back = tensor(scope, windows.back(), new Shape(windows.order().length));
      return PROGRAM.call(owner, "merged", x, back, group, weights.outside());
    }
  }

  private NDArray layer(NDManager to, NDArray in, TensorMap w, NDArray rotation, long[] lengths) {
    return PROGRAM.call(to, "vision_layer", in, w, rotation, lengths, config.headWidth());
  }

  private NDArray patches(NDManager scope, Bitmap picture, PictureSizes sizes) {
    Colours colours = sizes.colours();
    return PROGRAM.call(
        scope,
        "patches",
        weights.beside(scope, Colours.values(scope, picture)),
        new long[] {config.patch(), config.merge(), config.frames()},
        colours.factor(),
        colours.mean(),
        colours.deviation(),
        type.scalarType());
  }

  private NDArray tensor(NDManager scope, long[] numbers, Shape shape) {
    return weights.beside(scope, scope.create(numbers, shape));
  }

  long parameterBytes() {
    return weights.bytes();
  }

  @Override
  public void close() {
    weights.close();
  }
}
