package io.xfuser.models.internal.text;

import io.xfuser.failure.ModelException;
import io.xfuser.models.internal.text.TextModelProvider.Ability;
import io.xfuser.models.internal.weights.Inner;
import io.xfuser.weights.ComponentConfig;
import java.util.List;
import java.util.Map;

/**
 * The sizes of a causal language model, from the {@code config.json} of transformers.
 *
 * @param vocabulary rows of the embedding
 * @param width of the hidden states, C
 * @param headWidth of one head, D; heads · D may differ from C
 * @param heads number of heads, H
 * @param groups of heads with keys and values in common, G
 * @param layers number of layers
 * @param innerWidth of the feed-forward layers, F
 * @param theta the base of the angles by which positions turn heads
 * @param epsilon of the norms
 * @param style what its family does otherwise than others
 */
record DecoderConfig(
    int vocabulary,
    int width,
    int headWidth,
    int heads,
    int groups,
    int layers,
    int innerWidth,
    double theta,
    double epsilon,
    DecoderStyle style) {
  private static final String LAYER_TYPES = "layer_types";
  private static final List<String> LAYERS = List.of("sliding_attention", "full_attention");

  /** Whether the last layers and the norm after them are left out: no setting of transformers. */
  static final String CUT = "xfuser_cut";

  private static final String WINDOW = "sliding_window";
  private static final List<String> ROTATIONS = List.of("rope_scaling", "rope_parameters");

  /** Refuses sizes that make no decoder. */
  DecoderConfig {
    int smallest = Math.min(Math.min(width, headWidth), Math.min(groups, layers));
    if (Math.min(smallest, Math.min(innerWidth, vocabulary)) < 1 || heads % groups != 0) {
      throw new ModelException(
          "a language model needs sizes of at least 1 and whole groups of heads, got %d tokens,"
                  .formatted(vocabulary)
              + " width %d, %d heads of width %d in %d groups, %d layers, inner width %d"
                  .formatted(width, heads, headWidth, groups, layers, innerWidth));
    }
    if (headWidth % 2 != 0) {
      throw new ModelException("heads of odd width %d cannot turn".formatted(headWidth));
    }
  }

  /**
   * Reads the settings of Qwen3.
   *
   * @throws ModelException naming the setting that is not supported
   */
  static DecoderConfig qwen3(ComponentConfig json) {
    ComponentConfig config = json.part(null, "qwen3").unquantized();
    config.require("attention_bias", false);
    return new DecoderConfig(
            config.getInt("vocab_size", 151936),
            config.getInt("hidden_size", 4096),
            config.getInt("head_dim", 128),
            config.getInt("num_attention_heads", 32),
            config.getInt("num_key_value_heads", 32),
            config.getInt("num_hidden_layers", 32),
            config.getInt("intermediate_size", 22016),
            theta(config, 10000, "default"),
            config.getDouble("rms_norm_eps", 1e-6),
            DecoderStyle.plain(false, true))
        .checked(config);
  }

  /**
   * Reads the settings of the text side of Qwen2.5-VL, which older files have beside those of the
   * picture side. Positions in three directions are plain ones for text.
   *
   * @throws ModelException naming the setting that is not supported
   */
  static DecoderConfig qwen25vl(ComponentConfig json) {
    ComponentConfig config = json.part("text_config", "qwen2_5_vl_text").unquantized();
    int width = config.getInt("hidden_size", 8192);
    int heads = config.getInt("num_attention_heads", 64);
    return new DecoderConfig(
            config.getInt("vocab_size", 152064),
            width,
            width / Math.max(1, heads),
            heads,
            config.getInt("num_key_value_heads", 8),
            config.getInt("num_hidden_layers", 80),
            config.getInt("intermediate_size", 29568),
            theta(config, 1000000, "mrope"),
            config.getDouble("rms_norm_eps", 1e-5),
            DecoderStyle.plain(true, false))
        .checked(config);
  }

  /**
   * Reads the settings of Mistral, which Mistral3's have beside those of the picture side.
   *
   * @throws ModelException naming the setting that is not supported
   */
  static DecoderConfig mistral3(ComponentConfig json) {
    ComponentConfig config = json.part("text_config", "mistral").unquantized();
    int width = config.getInt("hidden_size", 4096);
    int heads = config.getInt("num_attention_heads", 32);
    boolean cut = json.getBoolean(CUT, false);
    int layers = (cut ? json : config).getInt("num_hidden_layers", 32);
    DecoderStyle plain = DecoderStyle.plain(false, false).cut(cut);
    boolean slides = config.has(WINDOW) || !config.keys().contains(WINDOW); // null is none
    return new DecoderConfig(
            config.getInt("vocab_size", 32000),
            width,
            config.getInt("head_dim", width / Math.max(1, heads)),
            heads,
            config.getInt("num_key_value_heads", 8),
            layers,
            config.getInt("intermediate_size", 14336),
            theta(config, 10000, "default"),
            config.getDouble("rms_norm_eps", 1e-6),
            slides ? plain.sliding(config.getInt(WINDOW, 4096), layers) : plain)
        .checked(config);
  }

  /**
   * Reads the settings of Gemma2. Its {@code attn_logit_softcapping} does not count: what
   * transformers attends with where nothing is said, {@code sdpa}, leaves the scores as they are.
   *
   * @throws ModelException naming the setting that is not supported
   */
  static DecoderConfig gemma2(ComponentConfig json) {
    ComponentConfig config = json.part(null, "gemma2").unquantized();
    config.require("hidden_activation", "gelu_pytorch_tanh");
    config.require("attention_bias", false);
    int width = config.getInt("hidden_size", 2304);
    int headWidth = config.getInt("head_dim", 256);
    int layers = config.getInt("num_hidden_layers", 26);
    return new DecoderConfig(
        config.getInt("vocab_size", 256000),
        width,
        headWidth,
        config.getInt("num_attention_heads", 8),
        config.getInt("num_key_value_heads", 4),
        layers,
        config.getInt("intermediate_size", 9216),
        theta(config, 10000, "default"),
        config.getDouble("rms_norm_eps", 1e-6),
        new DecoderStyle(
            false,
            false,
            true,
            Math.sqrt(width),
            Math.sqrt(headWidth / config.getDouble("query_pre_attn_scalar", 256)),
            config.getInt(WINDOW, 4096),
            sliding(config, layers),
            false));
  }

  /** How positions turn heads, where that is said: transformers 5 has another name for it. */
  static ComponentConfig rotations(ComponentConfig config) {
    return ROTATIONS.stream()
        .filter(config::has)
        .reduce((older, newer) -> newer)
        .map(name -> config.part(name, name))
        .orElseGet(() -> ComponentConfig.parse(config.origin(), "{}"));
  }

  /**
   * The base of the positions' wave lengths.
   *
   * @param type the kind of positions that is taken beside {@code default}
   */
  private static double theta(ComponentConfig config, double otherwise, String type) {
    ComponentConfig rope = rotations(config);
    for (String kind : List.of("type", "rope_type")) {
      if (!rope.getString(kind, type).equals(type)) {
        rope.require(kind, "default");
      }
    }
    return rope.getDouble("rope_theta", config.getDouble("rope_theta", otherwise));
  }

  private static List<Boolean> sliding(ComponentConfig config, int layers) {
    if (!config.has(LAYER_TYPES)) {
      return DecoderStyle.alternating(layers);
    }
    List<String> types = config.getStringList(LAYER_TYPES);
    if (types.size() != layers || !LAYERS.containsAll(types)) {
      throw new ModelException(
          "%s: layer_types %s are not one of %s for each of %d layers"
              .formatted(config.origin(), types, LAYERS, layers));
    }
    return types.stream().map(type -> type.equals(LAYERS.get(0))).toList();
  }

  private DecoderConfig checked(ComponentConfig config) {
    config.require("hidden_act", "silu");
    config.require("use_sliding_window", false);
    return this;
  }

  /** The heads of an attention, by their groups, which shares divide. */
  Inner queries() {
    return Inner.heads(groups, heads / groups * headWidth);
  }

  /** The keys of an attention, and the values. */
  Inner keys() {
    return Inner.heads(groups, headWidth);
  }

  /** The neurons of a feed-forward layer. */
  Inner feedForward() {
    return Inner.neurons(innerWidth);
  }

  /** The rows of the embedding, which shares divide too. */
  Inner rows() {
    return Inner.neurons(vocabulary);
  }

  TextSizes sizes() {
    return new TextSizes(
        vocabulary, Map.of(Ability.INNER, new TextSizes.Width("hidden_size", width)), layers);
  }
}
