package io.xfuser.models.internal.text;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.failure.ModelException;
import io.xfuser.models.internal.text.TextModelProvider.Ability;
import io.xfuser.models.internal.weights.Cut;
import io.xfuser.models.internal.weights.Joined;
import io.xfuser.models.internal.weights.WeightMap;
import io.xfuser.models.internal.weights.Weights;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Program;
import io.xfuser.weights.ComponentConfig;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * BERT (arXiv 1810.04805): the hidden states of transformers' {@code BertModel} with all token
 * types 0. The weights are mapped, not copied, where the file has the run's element type; those of
 * the pooler are not loaded.
 *
 * <p>Safe for use by several threads.
 */
public final class BertEncoder implements TextModel {
  private static final Program PROGRAM = Program.load(BertEncoder.class, "encoder.py", "bert.py");
  private static final EncoderWeights.Names NAMES =
      new EncoderWeights.Names(
          "bert",
          Pattern.compile("pooler\\..*|embeddings\\.position_ids|embeddings\\.token_type_ids"));
  private static final LayersConfig.LayerNames LAYER =
      new LayersConfig.LayerNames(
          List.of("attention.self.query", "attention.self.key", "attention.self.value"),
          "attention.output.dense",
          "intermediate.dense",
          "output.dense",
          List.of("attention.output.LayerNorm", "output.LayerNorm"));

  private final LayersConfig config;
  private final EncoderWeights weights;

  private BertEncoder(LayersConfig config, EncoderWeights weights) {
    this.config = config;
    this.weights = weights;
  }

  /**
   * Opens {@code folder}.
   *
   * @throws ModelException if the configuration is not supported, or the weights do not fit it
   */
  public static BertEncoder open(EncoderFolder folder) {
    ComponentConfig json = part(folder.config());
    LayersConfig config = config(json);
    int types = json.getInt("type_vocab_size", 2);
    return new BertEncoder(
        config, EncoderWeights.open(folder, NAMES, (to, file) -> read(to, config, types, file)));
  }

  private static ComponentConfig part(ComponentConfig json) {
    return json.part(null, "bert");
  }

  private static TextSizes sizes(ComponentConfig json) {
    LayersConfig config = config(part(json));
    return new TextSizes(config.vocabulary(), Map.of(Ability.STATES, config.states()));
  }

  private static LayersConfig config(ComponentConfig json) {
    String positions = json.getString("position_embedding_type", "absolute");
    if (!positions.equals("absolute") || json.getBoolean("is_decoder", false)) {
      throw new ModelException(
          "%s: position_embedding_type \"%s\" and is_decoder %s are not supported, only \"absolute\""
                  .formatted(json.origin(), positions, json.getBoolean("is_decoder", false))
              + " and false");
    }
    return LayersConfig.of(json, LayersConfig.BERT);
  }

  private static void read(EncoderWeights to, LayersConfig config, int types, Weights file) {
    long width = config.width();
    to.outside(
        WeightMap.of(
            file.at("embeddings."),
            w ->
                w.table(
                        Joined.one("word_embeddings"),
                        new Cut(0, 0, config.vocabulary()),
                        config.vocabulary(),
                        width)
                    .tensor("position_embeddings.weight", config.positions(), width)
                    .tensor("token_type_embeddings.weight", types, width)
                    .norm("LayerNorm", width)));
    for (int i = 0; i < config.layers(); i++) {
      Weights layer = file.at("encoder.layer." + i + ".");
      to.addLayer(WeightMap.of(layer, w -> config.layer(w, LAYER)));
    }
  }

  @Override
  public NDArray states(NDManager owner, TextInput input) {
    NDArray ids = input.ids();
    config.checkLength(ids);
    try (NDManager scope = owner.newSubManager()) {
      NDArray mask = input.maskOrOnes(scope);
      TokenIds.checkShapes(ids, mask);
      NDArray x = // (B, T, C)
          PROGRAM.call(
              scope, "embed", weights.beside(scope, ids), weights.outside(), config.epsilon());
      int type = ElementType.of(x).scalarType();
      NDArray bias =
          PROGRAM.call(scope, "padding_bias", weights.beside(scope, mask), type); // (B, 1, 1, T)
      return weights.run(
          owner,
          weights.all(x),
          PROGRAM,
          "bert_layer",
          bias,
          config.heads(),
          config.activation(),
          config.epsilon());
    }
  }

  @Override
  public long parameterBytes() {
    return weights.bytes();
  }

  @Override
  public void close() {
    weights.close();
  }

  /** Opens a {@code BertModel}. */
  public static final class Provider extends TextModelClass {
    public Provider() {
      super(
          Set.of("BertModel"),
          Set.of(Ability.STATES, Ability.MASK),
          (folder, share) -> BertEncoder.open(folder),
          BertEncoder::sizes);
    }
  }
}
