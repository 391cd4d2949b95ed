package io.xfuser.models.internal.text;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.failure.ModelException;
import io.xfuser.internal.weights.Ahead;
import io.xfuser.internal.weights.Prefetcher;
import io.xfuser.models.internal.weights.ComponentWeights;
import io.xfuser.models.internal.weights.CountedWeights;
import io.xfuser.models.internal.weights.Weights;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Program;
import io.xfuser.torchscript.TensorMap;
import io.xfuser.torchscript.Torch;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BiConsumer;
import java.util.function.UnaryOperator;
import java.util.regex.Pattern;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;

/**
 * The tensors of a text encoder: those of each of its layers, and those outside of them. They are
 * the file itself where its element type is the run's.
 */
final class EncoderWeights implements AutoCloseable {
  /** Where transformers finds weights under a name that it does not choose. */
  private static final String OTHER_FILE = "transformers_weights";

  private final EncoderFolder source;
  private final ComponentWeights stored;
  private final ComponentWeights named; // the same by transformers' names
  private final List<TensorMap> layers = new ArrayList<>();
  private TensorMap outside = TensorMap.of(Map.of());

  private EncoderWeights(EncoderFolder source, ComponentWeights stored, Names names) {
    this.source = source;
    this.stored = stored;
    this.named = stored.renamed(names.in(stored.names()));
  }

  /**
   * Opens {@code source}; nothing stays open if that throws.
   *
   * @param names how the class names its tensors
   */
  static EncoderWeights open(
      EncoderFolder source, Names names, BiConsumer<EncoderWeights, Weights> reader) {
    if (source.config().has(OTHER_FILE)) {
      throw new ModelException(
          "%s: %s is %s, which is not supported"
              .formatted(source.config().origin(), OTHER_FILE, source.config().text(OTHER_FILE)));
    }
    EncoderWeights weights = new EncoderWeights(source, source.weights().get(), names);
    try {
      CountedWeights counted = new CountedWeights(weights.in(source.loading().type()));
      reader.accept(weights, counted);
      if (source.promised()) {
        return weights; // what is not needed is said when the weights are read
      }
      UnaryOperator<String> rename = names.in(weights.stored.names());
      weights.stored.reportUnknown(
          stored -> {
            String name = rename.apply(stored);
            return counted.read(name) || names.unused().matcher(name).matches();
          });
    } catch (RuntimeException e) {
      weights.close();
      throw e;
    }
    if (!source.layerwise()) {
      weights.stored.close();
    }
    return weights;
  }

  /** The tensors with floats of {@code type}, to be read as long as these weights are. */
  Weights in(ElementType type) {
    return source.promised() ? named.promised(type) : named.handedOut(type);
  }

  /**
   * How a class of transformers names its tensors. Source: {@code _get_key_renaming_mapping} in
   * {@code modeling_utils.py}.
   *
   * @param prefixes before the names of a model that has this one as its base, {@code bert} for
   *     example; only names with the first of them that there is count
   * @param unused names that a file usually has and that nothing reads
   */
  record Names(List<String> prefixes, Pattern unused) {
    /** Before PyTorch, a norm's weight and bias were gamma and beta. */
    private static final Map<String, String> OLD_NORMS =
        Map.of("LayerNorm.gamma", "LayerNorm.weight", "LayerNorm.beta", "LayerNorm.bias");

    /** Of a class whose base has one name. */
    Names(String prefix, Pattern unused) {
      this(List.of(prefix), unused);
    }

    UnaryOperator<String> in(Set<String> all) {
      String first =
          prefixes.stream()
              .map(prefix -> prefix + ".")
              .filter(prefix -> all.stream().anyMatch(name -> name.startsWith(prefix)))
              .findFirst()
              .orElse("");
      return name -> name.startsWith(first) ? current(name.substring(first.length())) : "";
    }

    private static String current(String name) {
      return OLD_NORMS.entrySet().stream()
          .filter(old -> name.endsWith(old.getKey()))
          .map(old -> name.substring(0, name.length() - old.getKey().length()) + old.getValue())
          .findFirst()
          .orElse(name);
    }
  }

  /** Keeps the tensors outside of the layers. */
  void outside(TensorMap read) {
    outside = read;
  }

  TensorMap outside() {
    return outside;
  }

  void addLayer(TensorMap layer) {
    layers.add(layer);
    if (source.layerwise()) {
      layer.release();
    }
  }

  /** {@code tensor} on the device where these weights are used. */
  NDArray beside(NDManager scope, NDArray tensor) {
    return Torch.to(scope, tensor, source.loading().placement().device());
  }

  /**
   * What layers {@code from} to {@code to} make of {@code x}: each calls {@code function} with its
   * input, its tensors and {@code settings}. The result, owned by {@code owner}, is of the shape of
   * {@code x}.
   */
  NDArray run(NDManager owner, Layers which, Program program, String function, Object... settings) {
    Object[] arguments = new Object[settings.length + 2];
    System.arraycopy(settings, 0, arguments, 2, settings.length);
    return run(
        owner,
        which,
        (to, x, layer) -> {
          arguments[0] = x;
          arguments[1] = layer;
          return program.call(to, function, arguments);
        });
  }

  /** The same where each layer calls {@code step} with its input and its tensors. */
  NDArray run(NDManager owner, Layers which, LayerFunction step) {
    Ahead ahead = ahead();
    try (ahead;
        NDManager scope = owner.newSubManager()) {
      NDArray x = Torch.alias(scope, which.x());
      for (int i = which.from(); i < which.to(); i++) {
        TensorMap.Hold used = ahead == null ? held(i) : ahead.use(i, which.to());
        try (used) {
          NDArray next = step.run(scope, x, layers.get(i));
          x.close();
          x = next;
        }
      }
      return Torch.alias(owner, x);
    }
  }

  private @Nullable Ahead ahead() {
    Prefetcher prefetcher = source.loading().placement().prefetcher();
    return prefetcher == null ? null : prefetcher.along(layers);
  }

  private TensorMap.Hold held(int layer) {
    return source.layerwise() ? layers.get(layer).hold() : () -> {};
  }

  /** What a layer of {@code weights} makes of {@code x}, owned by {@code owner}. */
  @FunctionalInterface
  interface LayerFunction {
    NDArray run(NDManager owner, NDArray x, TensorMap weights);
  }

  Layers all(NDArray x) {
    return new Layers(x, 0, layers.size());
  }

  /** Layers {@code from} (included) to {@code to} (excluded) with the input {@code x}. */
  record Layers(NDArray x, int from, int to) {}

  /** Bytes of all tensors that are there at one time, mapped or copied. */
  long bytes() {
    LongStream sizes = layers.stream().mapToLong(TensorMap::bytes);
    if (source.layerwise()) { // one is used while the next is read
      return outside.bytes() + 2 * sizes.max().orElse(0);
    }
    return outside.bytes() + sizes.sum();
  }

  @Override
  public void close() {
    layers.forEach(TensorMap::close);
    outside.close();
    stored.close();
  }
}
