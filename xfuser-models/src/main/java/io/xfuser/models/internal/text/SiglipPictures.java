package io.xfuser.models.internal.text;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.internal.picture.Bitmap;
import io.xfuser.models.internal.weights.WeightMap;
import io.xfuser.models.internal.weights.Weights;
import io.xfuser.torchscript.Program;
import io.xfuser.torchscript.Torch;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * SigLIP's picture encoder (arXiv 2303.15343), transformers' {@code SiglipVisionModel} with {@code
 * SiglipImageProcessor} before it: up to the layer before the last one, the rest of which is not
 * read. Safe for use by several threads.
 */
public final class SiglipPictures extends PatchPictures implements PictureEyes {
  /** Its class. */
  public static final String CLASS = "SiglipVisionModel";

  /** The classes that {@code image_encoder} may have. */
  public static final Set<String> ENCODERS = Set.of(CLASS);

  private static final Program PROGRAM =
      Program.load(SiglipPictures.class, "encoder.py", "clip.py", "clip_pictures.py");

  /** Of the model that has texts, too: that half is not read. */
  private static final EncoderWeights.Names NAMES =
      new EncoderWeights.Names(
          "siglip",
          Pattern.compile(
              "vision_model\\.(embeddings\\.position_ids|post_layernorm\\..*|encoder\\.layers\\..*"
                  + "|head\\..*)|text_model\\..*|logit_(scale|bias)"));

  /** The defaults of transformers' {@code SiglipVisionConfig}; of texts it has none. */
  private static final Usual USUAL =
      new Usual(new LayersConfig(1, 1, 768, 12, 12, 3072, "gelu_pytorch_tanh", 1e-6), 16);

  private final EncoderWeights weights;

  /**
   * Opens the encoder of {@code folder}.
   *
   * @throws io.xfuser.failure.ModelException naming what is missing or not supported
   */
  SiglipPictures(EncoderFolder folder, SiglipView view) {
    super(folder, folder.config().part("vision_config", "siglip_vision_model"), USUAL, view);
    weights = EncoderWeights.open(folder, NAMES, this::read);
  }

  private void read(EncoderWeights to, Weights file) {
    to.outside(
        WeightMap.of(
            file.at("vision_model."),
            w ->
                readPatches(w)
                    .tensor("embeddings.patch_embedding.bias", config().width())
                    .tensor("embeddings.position_embedding.weight", patches(), config().width())));
    readLayers(to, file, config().layers() - 1);
  }

  @Override
  EncoderWeights weights() {
    return weights;
  }

  @Override
  String embedding() {
    return "embed_placed_patches";
  }

  @Override
  public TextSizes.Width width() {
    return config().states();
  }

  /** {@inheritDoc} (1, N of all pictures, C), states; those of no picture are zeros of one. */
  @Override
  public NDArray see(NDManager owner, List<Bitmap> pictures) {
    try (NDManager scope = owner.newSubManager()) {
      if (pictures.isEmpty()) {
        return PROGRAM.call(owner, "no_states", weights.outside());
      }
      return Torch.concat(owner, pictures.stream().map(one -> states(scope, one)).toList(), 1);
    }
  }
}
