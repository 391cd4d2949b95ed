package io.xfuser.models.internal.text;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.failure.ModelException;
import io.xfuser.internal.picture.Bitmap;
import io.xfuser.models.internal.weights.WeightMap;
import io.xfuser.models.internal.weights.Weights;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Program;
import io.xfuser.weights.ComponentConfig;

/**
 * An encoder of pictures that are cut into square patches, each a token of a row of layers as
 * CLIP's. Safe for use by several threads.
 */
abstract class PatchPictures implements PictureReader {
  private static final Program PROGRAM =
      Program.load(PatchPictures.class, "encoder.py", "clip.py", "clip_pictures.py");

  private final LayersConfig config;
  private final PictureView view;
  private final int patch;
  private final ElementType type;

  /**
   * What the settings leave out.
   *
   * @param layers of its layers
   * @param patch pixels along each side of a patch
   */
  record Usual(LayersConfig layers, int patch) {}

  /**
   * Reads its settings; nothing is opened yet.
   *
   * @param json settings of the layers
   * @param usual what they leave out
   * @throws ModelException naming what is not supported
   */
  PatchPictures(EncoderFolder folder, ComponentConfig json, Usual usual, PictureView view) {
    config = LayersConfig.of(json, usual.layers());
    this.view = view;
    json.require("num_channels", 3);
    json.require("image_size", view.side());
    patch = json.getInt("patch_size", usual.patch());
    if (patch < 1 || view.side() < patch) {
      throw new ModelException(
          "%s: patch_size %d makes no patches of %d pixels"
              .formatted(json.origin(), patch, view.side()));
    }
    type = folder.loading().type();
  }

  /** Its weights, as long as they are open. */
  abstract EncoderWeights weights();

  /** The function that makes tokens of patches. */
  abstract String embedding();

  /** Sizes of the layers. */
  final LayersConfig config() {
    return config;
  }

  /** Pixels along each side of what is seen. */
  final int side() {
    return view.side();
  }

  /** How many patches there are. */
  final int patches() {
    int along = view.side() / patch;
    return along * along;
  }

  /** Reads the first layers of {@code file}, so many. */
  final void readLayers(EncoderWeights to, Weights file, int count) {
    for (int i = 0; i < count; i++) {
      Weights layer = file.at("vision_model.encoder.layers." + i + ".");
      to.addLayer(WeightMap.of(layer, w -> config.layer(w, ClipTextEncoder.LAYER)));
    }
  }

  /** The kernel that makes tokens of patches, as a matrix. */
  final WeightMap readPatches(WeightMap w) {
    return w.tensor(
        (owner, kernel) -> PROGRAM.call(owner, "as_matrix", kernel),
        "embeddings.patch_embedding.weight",
        config.width(),
        3,
        patch,
        patch);
  }

  /** The states after all layers that are read, (1, N, C). */
  final NDArray states(NDManager owner, Bitmap picture) {
    try (NDManager scope = owner.newSubManager()) {
      NDArray patches = // (1, n, 3·p·p)
          PROGRAM.call(
              scope,
              "patches",
              weights().beside(scope, Colours.values(scope, view.of(picture))),
              patch,
              view.colours().factor(),
              view.colours().mean(),
              view.colours().deviation(),
              type.scalarType());
      NDArray x = // (1, N, C)
          PROGRAM.call(scope, embedding(), patches, weights().outside(), config.epsilon());
      return weights()
          .run(
              owner,
              weights().all(x),
              PROGRAM,
              "picture_layer",
              config.heads(),
              config.activation(),
              config.epsilon());
    }
  }

  @Override
  public final long parameterBytes() {
    return weights().bytes();
  }

  @Override
  public final void close() {
    weights().close();
  }
}
