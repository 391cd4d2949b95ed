package io.xfuser.models.internal.text;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.failure.ModelException;
import io.xfuser.internal.picture.Bitmap;
import io.xfuser.internal.weights.ReadBytes;
import io.xfuser.model.PipelineComponents;
import io.xfuser.models.internal.weights.WeightMap;
import io.xfuser.models.internal.weights.Weights;
import io.xfuser.torchscript.Program;
import io.xfuser.torchscript.Torch;
import io.xfuser.weights.ComponentConfig;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import java.util.regex.Pattern;

/**
 * CLIP's picture encoder (arXiv 2103.00020), transformers' {@code CLIPVisionModel} with {@code
 * CLIPImageProcessor} before it: up to the layer before the last one, the rest of which is not
 * read, or with all layers and the projection of {@code CLIPVisionModelWithProjection}. Safe for
 * use by several threads.
 */
public final class ClipPictures extends PatchPictures implements PictureEyes {
  /** The component that it is, by its class. */
  public static final String ENCODER = "image_encoder";

  /** Its classes: what projects is behind the layers that are read. */
  public static final Set<String> ENCODERS = Set.of("CLIPVisionModel", ClipPictures.PROJECTING);

  /** That whose projection is looked at. */
  static final String PROJECTING = "CLIPVisionModelWithProjection";

  /** What prepares pictures for it. */
  public static final String PROCESSOR = "image_processor";

  /** The classes of that, with a tokenizer or without. */
  public static final Set<String> PROCESSORS = Set.of(ClipView.CLASS, "CLIPProcessor");

  private static final Program PROGRAM =
      Program.load(ClipPictures.class, "encoder.py", "clip.py", "clip_pictures.py");

  private static final EncoderWeights.Names NAMES =
      new EncoderWeights.Names(
          "clip",
          Pattern.compile(
              "vision_model\\.(embeddings\\.position_ids|post_layernorm\\..*|encoder\\.layers\\..*)"
                  + "|visual_projection\\.weight"
                  + "|text_model\\..*|text_projection\\.weight|logit_scale")); // of CLIPModel

  /** The defaults of transformers' {@code CLIPVisionConfig}; of texts it has none. */
  private static final Usual USUAL =
      new Usual(new LayersConfig(1, 1, 768, 12, 12, 3072, "quick_gelu", 1e-5), 32);

  private final int projection; // 0 = up to the layer before the last one
  private final EncoderWeights weights;

  private ClipPictures(EncoderFolder folder, ClipView view, boolean projects) {
    super(folder, settings(folder), USUAL, view);
    int usual = folder.config().getInt("projection_dim", 512); // CLIPModel's, of both its parts
    projection = projects ? settings(folder).getInt("projection_dim", usual) : 0;
    weights = EncoderWeights.open(folder, NAMES, this::read);
  }

  private static ComponentConfig settings(EncoderFolder folder) {
    return folder.config().part("vision_config", "clip_vision_model");
  }

  /** What prepares pictures of {@code side} pixels for it as published. */
  public static Map<String, Object> processor(int side) {
    return Map.of(
        "image_processor_type",
        ClipView.CLASS,
        "size",
        Map.of("shortest_edge", side),
        "crop_size",
        Map.of("height", side, "width", side),
        "resample",
        ClipView.BICUBIC,
        "do_resize",
        true,
        "do_center_crop",
        true,
        "do_rescale",
        true,
        "do_normalize",
        true);
  }

  public static ClipPictures open(PipelineComponents components) {
    return of(components, EncoderFolder.of(components, ENCODER));
  }

  /** The same of {@code folder} with its projection. */
  static ClipPictures projecting(EncoderFolder folder, ClipView view) {
    return new ClipPictures(folder, view, true);
  }

  private static ClipPictures of(PipelineComponents components, EncoderFolder folder) {
    ClipView view = ClipView.of(components.config(PROCESSOR, ClipView.FILE));
    return new ClipPictures(folder, view, false);
  }

  /**
   * Makes sure that it can be opened and that a transformer takes its states, without reading
   * weights.
   *
   * @param width of the states, as the transformer has it
   * @param places that the transformer has for the states of two pictures, 0 for one without
   * @return bytes of the weights
   * @throws ModelException naming what is missing or not supported
   */
  public static long check(PipelineComponents components, int width, int places) {
    for (String name : List.of(ENCODER, PROCESSOR)) {
      if (!components.has(name)) {
        throw new ModelException(
            "%s: the transformer has an image_dim, but there is no %s"
                .formatted(components.index().origin(), name));
      }
    }
    AtomicLong bytes = new AtomicLong();
    EncoderFolder folder = EncoderFolder.of(components, ENCODER).onTrial();
    ClipPictures tried = ReadBytes.told(bytes::set, () -> of(components, folder));
    try (tried) {
      boolean placed = places == 0 || places == 2 * tried.tokens();
      if (tried.config().width() != width || !placed) {
        throw new ModelException(
            "%s makes %d states of width %d, but the transformer has image_dim %d and pos_embed_seq_len %d"
                .formatted(
                    folder.config().origin(),
                    tried.tokens(),
                    tried.config().width(),
                    width,
                    places));
      }
      return bytes.get();
    }
  }

  private int tokens() {
    return 1 + patches();
  }

  @Override
  EncoderWeights weights() {
    return weights;
  }

  @Override
  String embedding() {
    return "embed_patches";
  }

  @Override
  public TextSizes.Width width() {
    return new TextSizes.Width("projection_dim", projection);
  }

  private void read(EncoderWeights to, Weights file) {
    to.outside(
        WeightMap.of(
            file.at("vision_model."),
            w -> projection == 0 ? outside(w) : projecting(outside(w), file)));
    readLayers(to, file, projection == 0 ? config().layers() - 1 : config().layers());
  }

  private WeightMap outside(WeightMap w) {
    return readPatches(w.tensor("embeddings.class_embedding", config().width()))
        .tensor("embeddings.position_embedding.weight", tokens(), config().width())
        .norm("pre_layrnorm", config().width());
  }

  private WeightMap projecting(WeightMap w, Weights file) {
    return w.norm("post_layernorm", config().width())
        .reading(file)
        .withoutBias()
        .linear("visual_projection", projection, config().width());
  }

  /** {@inheritDoc} (1, pictures, projection); no picture is a black one. */
  @Override
  public NDArray see(NDManager owner, List<Bitmap> pictures) {
    List<Bitmap> all = pictures.isEmpty() ? List.of(Bitmap.black(side(), side(), 3)) : pictures;
    try (NDManager scope = owner.newSubManager()) {
      List<NDArray> each =
          all.stream()
              .map(
                  picture ->
                      PROGRAM.call(
                          scope,
                          "seen",
                          states(scope, picture),
                          weights.outside(),
                          config().epsilon()))
              .toList();
      return Torch.concat(owner, each, 1);
    }
  }

  /**
   * The states before the last layer of {@code pictures}, one after another, (rows, n·N, C): all
   * rows are the same.
   */
  public NDArray states(NDManager owner, List<Bitmap> pictures, int rows) {
    try (NDManager scope = owner.newSubManager()) {
      List<NDArray> each = pictures.stream().map(picture -> states(scope, picture)).toList();
      return Torch.rows(owner, Torch.concat(scope, each, 1), new long[rows]);
    }
  }
}
