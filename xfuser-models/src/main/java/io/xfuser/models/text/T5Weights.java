package io.xfuser.models.text;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.TensorList;
import io.xfuser.torchscript.Torch;
import io.xfuser.weights.SafeTensors;
import io.xfuser.weights.Weights;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The tensors of a T5 encoder as {@code t5.py} takes them. They are the file itself where its
 * element type is the run's.
 *
 * <p>In float16 the last matrix of the feed-forward layers stays float32, as in transformers, since
 * its products overflow (huggingface/transformers#20287).
 */
final class T5Weights implements AutoCloseable {
  private static final Pattern UNUSED = Pattern.compile("decoder\\..*|lm_head\\.weight");
  private static final String[] EMBEDDINGS = {"shared.weight", "encoder.embed_tokens.weight"};
  private static final String POSITIONS =
      "encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight";

  private final NDManager manager;
  private final NDArray embedding;
  private final NDArray positions;
  private final NDArray finalNorm;
  private final List<TensorList> blocks = new ArrayList<>();

  private T5Weights(T5Config config, Weights weights, Weights exact) {
    manager = Torch.newManager();
    try {
      String table = weights.has(EMBEDDINGS[0]) ? EMBEDDINGS[0] : EMBEDDINGS[1];
      embedding = weights.get(manager, table, config.vocabulary(), config.width());
      positions = weights.get(manager, POSITIONS, config.buckets(), config.heads());
      finalNorm = weights.get(manager, "encoder.final_layer_norm.weight", config.width());
      for (int i = 0; i < config.layers(); i++) {
        String block = "encoder.block." + i + ".layer.";
        blocks.add(block(config, weights.at(block), exact.at(block)));
      }
    } catch (RuntimeException e) {
      close();
      throw e;
    }
  }

  /** Opens {@code model.safetensors} or its shards in {@code directory}. */
  static T5Weights open(
      Path directory, @Nullable String variant, T5Config config, ElementType runType) {
    ElementType exactType = runType == ElementType.FLOAT16 ? ElementType.FLOAT32 : runType;
    try (SafeTensors weights = SafeTensors.open(directory, "model", runType, variant);
        SafeTensors exact = SafeTensors.open(directory, "model", exactType, variant)) {
      Pattern known = known(config);
      weights.rejectUnknown(
          name -> known.matcher(name).matches() || UNUSED.matcher(name).matches());
      return new T5Weights(config, weights, exact);
    }
  }

  private static Pattern known(T5Config config) {
    StringBuilder numbers = new StringBuilder("0");
    for (int i = 1; i < config.layers(); i++) {
      numbers.append('|').append(i);
    }
    return Pattern.compile(
        "(shared|encoder\\.embed_tokens|encoder\\.final_layer_norm|encoder\\.block\\.("
            + numbers
            + ")\\.layer\\.(0\\.layer_norm|0\\.SelfAttention\\.(q|k|v|o|relative_attention_bias)"
            + "|1\\.layer_norm|1\\.DenseReluDense\\.(wi|wi_0|wi_1|wo)))\\.weight");
  }

  private TensorList block(T5Config config, Weights weights, Weights exact) {
    long width = config.width();
    long heads = (long) config.heads() * config.headWidth();
    long inner = config.innerWidth();
    try (NDManager scope = manager.newSubManager()) {
      List<NDArray> tensors = new ArrayList<>();
      tensors.add(weights.get(scope, "0.layer_norm.weight", width));
      for (String name : List.of("q", "k", "v")) {
        tensors.add(weights.get(scope, "0.SelfAttention." + name + ".weight", heads, width));
      }
      tensors.add(weights.get(scope, "0.SelfAttention.o.weight", width, heads));
      tensors.add(weights.get(scope, "1.layer_norm.weight", width));
      for (String name : config.gated() ? List.of("wi_0", "wi_1") : List.of("wi")) {
        tensors.add(weights.get(scope, "1.DenseReluDense." + name + ".weight", inner, width));
      }
      tensors.add(exact.get(scope, "1.DenseReluDense.wo.weight", width, inner));
      return TensorList.of(tensors);
    }
  }

  /** (V, D). */
  NDArray embedding() {
    return embedding;
  }

  /** (buckets, H). */
  NDArray positions() {
    return positions;
  }

  /** (D). */
  NDArray finalNorm() {
    return finalNorm;
  }

  /** For each block the tensors of {@code block} in {@code t5.py}. */
  List<TensorList> blocks() {
    return blocks;
  }

  /** Bytes of all tensors, mapped or copied. */
  long bytes() {
    return ElementType.bytesOf(embedding)
        + ElementType.bytesOf(positions)
        + ElementType.bytesOf(finalNorm)
        + blocks.stream().mapToLong(TensorList::bytes).sum();
  }

  @Override
  public void close() {
    blocks.forEach(TensorList::close);
    manager.close();
  }
}
