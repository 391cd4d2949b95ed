package io.xfuser.models.internal.text;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.failure.ModelException;
import io.xfuser.models.internal.text.TextModelProvider.Ability;
import io.xfuser.models.internal.weights.Cut;
import io.xfuser.models.internal.weights.Joined;
import io.xfuser.models.internal.weights.WeightMap;
import io.xfuser.models.internal.weights.Weights;
import io.xfuser.torchscript.Program;
import io.xfuser.torchscript.TensorMap;
import io.xfuser.weights.ComponentConfig;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * CLIP's text encoder (arXiv 2103.00020): transformers' {@code CLIPTextModel} and {@code
 * CLIPTextModelWithProjection}, without an attention mask. The weights are mapped, not copied,
 * where the file has the run's element type.
 *
 * <p>Safe for use by several threads.
 */
public final class ClipTextEncoder implements TextModel {
  private static final Program PROGRAM =
      Program.load(ClipTextEncoder.class, "encoder.py", "clip.py");
  private static final EncoderWeights.Names NAMES =
      new EncoderWeights.Names(
          "clip",
          Pattern.compile("text_model\\.embeddings\\.position_ids|text_projection\\.weight"));

  /** The modules of a layer, of pictures too. */
  static final LayersConfig.LayerNames LAYER =
      new LayersConfig.LayerNames(
          List.of("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"),
          "self_attn.out_proj",
          "mlp.fc1",
          "mlp.fc2",
          List.of("layer_norm1", "layer_norm2"));

  private static final String PROJECTION = "projection_dim";

  private final LayersConfig config;
  private final int eos;
  private final int projection;
  private final EncoderWeights weights;

  private ClipTextEncoder(EncoderFolder folder, boolean projects) {
    ComponentConfig json = part(folder.config());
    config = LayersConfig.of(json, LayersConfig.CLIP);
    eos = json.getInt("eos_token_id", 49407);
    projection = projects ? projection(json) : 0;
    weights = EncoderWeights.open(folder, NAMES, this::read);
  }

  /**
   * Opens a {@code CLIPTextModel}; a projection in its file is not loaded.
   *
   * @throws ModelException if the configuration is not supported, or the weights do not fit it
   */
  public static ClipTextEncoder open(EncoderFolder folder) {
    return new ClipTextEncoder(folder, false);
  }

  /** Opens a {@code CLIPTextModelWithProjection}; otherwise the same as {@link #open}. */
  public static ClipTextEncoder openWithProjection(EncoderFolder folder) {
    return new ClipTextEncoder(folder, true);
  }

  private static ComponentConfig part(ComponentConfig json) {
    return json.part("text_config", "clip_text_model");
  }

  private static int projection(ComponentConfig part) {
    return part.getInt(PROJECTION, 512);
  }

  private static TextSizes sizes(ComponentConfig json) {
    ComponentConfig part = part(json);
    LayersConfig config = LayersConfig.of(part, LayersConfig.CLIP);
    return new TextSizes(
        config.vocabulary(),
        Map.of(
            Ability.LAYERS, config.states(),
            Ability.POOLED, config.states(),
            Ability.PROJECTED, new TextSizes.Width(PROJECTION, projection(part))),
        config.layers());
  }

  private void read(EncoderWeights to, Weights file) {
    to.outside(WeightMap.of(file, this::outside));
    for (int i = 0; i < config.layers(); i++) {
      Weights layer = file.at("text_model.encoder.layers." + i + ".");
      to.addLayer(WeightMap.of(layer, w -> config.layer(w, LAYER)));
    }
  }

  private WeightMap outside(WeightMap w) {
    String embeddings = "text_model.embeddings.";
    w.table(
            Joined.one(embeddings + "token_embedding"),
            new Cut(0, 0, config.vocabulary()),
            config.vocabulary(),
            config.width())
        .tensor(embeddings + "position_embedding.weight", config.positions(), config.width())
        .norm("text_model.final_layer_norm", config.width());
    return projection > 0
        ? w.withoutBias().linear("text_projection", projection, config.width())
        : w;
  }

  /** {@inheritDoc} The hidden states are without the final norm, the last one too. */
  @Override
  public TextOutput layer(NDManager owner, TextInput input, int index) {
    NDArray ids = input.ids();
    int layers = layersUpTo(index);
    try (NDManager scope = owner.newSubManager()) {
      NDArray start = embed(scope, ids); // (B, T, C)
      NDArray hidden = run(owner, new EncoderWeights.Layers(start, 0, layers)); // (B, T, C)
      NDArray last = run(scope, new EncoderWeights.Layers(hidden, layers, config.layers()));
      return new TextOutput(pool(owner, last, ids), hidden);
    }
  }

  @Override
  public NDArray pooled(NDManager owner, TextInput input) {
    NDArray ids = input.ids();
    try (NDManager scope = owner.newSubManager()) {
      return pool(owner, run(scope, weights.all(embed(scope, ids))), ids);
    }
  }

  /** One of the hidden states alone, (B, T, C); the layers after it are not computed. */
  public NDArray hidden(NDManager owner, NDArray ids, int index) {
    int layers = layersUpTo(index);
    try (NDManager scope = owner.newSubManager()) {
      return run(owner, new EncoderWeights.Layers(embed(scope, ids), 0, layers));
    }
  }

  @Override
  public int layers() {
    return config.layers();
  }

  private NDArray embed(NDManager owner, NDArray ids) {
    config.checkLength(ids);
    return PROGRAM.call( // (B, T, C)
        owner, "embed", weights.beside(owner, ids), weights.outside());
  }

  private NDArray run(NDManager owner, EncoderWeights.Layers layers) {
    try (NDManager scope = owner.newSubManager()) {
      NDArray bias = PROGRAM.call(scope, "causal_bias", layers.x()); // (T, T)
      return weights.run(
          owner,
          layers,
          PROGRAM,
          "clip_layer",
          bias,
          config.heads(),
          config.activation(),
          config.epsilon());
    }
  }

  private NDArray pool(NDManager owner, NDArray x, NDArray tokens) {
    NDArray ids = weights.beside(owner, tokens);
    TensorMap w = weights.outside();
    if (projection == 0) {
      return PROGRAM.call(owner, "pooled", x, ids, w, config.epsilon(), eos);
    }
    try (NDManager scope = owner.newSubManager()) {
      NDArray pooled = // (B, C)
          PROGRAM.call(scope, "pooled", x, ids, w, config.epsilon(), eos);
      return PROGRAM.call(owner, "projected", pooled, w);
    }
  }

  /** The width of the hidden states, C. */
  public int width() {
    return config.width();
  }

  /** The width of the pooled output: P with a projection, else C. */
  public int pooledWidth() {
    return projection > 0 ? projection : config.width();
  }

  @Override
  public long parameterBytes() {
    return weights.bytes();
  }

  @Override
  public void close() {
    weights.close();
  }

  /** Opens a {@code CLIPTextModel}. */
  public static final class Provider extends TextModelClass {
    public Provider() {
      super(
          Set.of("CLIPTextModel"),
          Set.of(Ability.POOLED, Ability.LAYERS),
          (folder, share) -> ClipTextEncoder.open(folder),
          ClipTextEncoder::sizes);
    }
  }

  /** Opens a {@code CLIPTextModelWithProjection}. */
  public static final class ProjectingProvider extends TextModelClass {
    public ProjectingProvider() {
      super(
          Set.of("CLIPTextModelWithProjection"),
          Set.of(Ability.PROJECTED, Ability.LAYERS),
          (folder, share) -> ClipTextEncoder.openWithProjection(folder),
          ClipTextEncoder::sizes);
    }
  }
}
