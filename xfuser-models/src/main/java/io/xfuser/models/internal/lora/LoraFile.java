package io.xfuser.models.internal.lora;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.failure.ModelException;
import io.xfuser.internal.failure.Reason;
import io.xfuser.models.internal.weights.FileWeights;
import io.xfuser.models.internal.weights.Weights;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Torch;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * A file with a LoRA, in any style that {@link LoraStyle} has: what it changes, and how strongly.
 * Opening reads the header and numbers; matrices stay in the file until they are multiplied.
 */
public final class LoraFile implements AutoCloseable {
  private static final String ADAPTER = "adapter_model.safetensors";
  private static final String ADAPTER_CONFIG = "adapter_config.json";
  private static final String METADATA = "lora_adapter_metadata";

  private final Path path;
  private final FileWeights stored; // in the file's types
  private final FileWeights tensors; // the same in fp32
  private final Map<String, LoraModule> modules = new TreeMap<>();
  private final List<String> others = new ArrayList<>();
  private final PeftScales peft;

  private LoraFile(Path path, FileWeights stored) {
    this.path = path;
    this.stored = stored;
    this.tensors = stored.as(ElementType.FLOAT32);
    Map<String, Map<LoraPart, String>> parts = new TreeMap<>();
    for (String key : tensors.names()) {
      LoraPart.of(key)
          .ifPresentOrElse(
              named ->
                  parts
                      .computeIfAbsent(named.module(), module -> new EnumMap<>(LoraPart.class))
                      .merge(named.part(), key, this::refuseTwo),
              () -> others.add(key));
    }
    parts.forEach((module, keys) -> modules.put(module, new LoraModule(module, keys)));
    if (modules.isEmpty()) {
      throw new ModelException(
          "%s is no LoRA: none of its %d tensors has such a name%s"
              .formatted(
                  path,
                  others.size(),
                  others.isEmpty() ? "" : ", \"" + others.get(0) + "\" for example"));
    }
    refuseControl();
    this.peft = peft();
  }

  /**
   * Opens {@code file}.
   *
   * @throws ModelException if it cannot be read, has nothing of a LoRA, or is one of a kind that is
   *     not supported
   */
  public static LoraFile open(Path file) {
    FileWeights stored = FileWeights.openFile(file, null);
    try {
      return new LoraFile(file, stored);
    } catch (RuntimeException e) {
      stored.close();
      throw e;
    }
  }

  private String refuseTwo(String one, String other) {
    throw new ModelException(
        "%s: \"%s\" and \"%s\" are the same of one module".formatted(path, one, other));
  }

  /** FLUX.1-Depth-dev-lora and its like replace norms, and widen the first layer. */
  private void refuseControl() {
    for (String key : others) {
      if (key.matches(".*(norm\\.(query|key)_norm\\.scale|attn\\.norm_(added_)?[qk]\\.weight)")) {
        throw new ModelException(
            "%s is a control LoRA, which widens the model's input: it is not supported (\"%s\")"
                .formatted(path, key));
      }
    }
  }

  private PeftScales peft() {
    String metadata = FileWeights.metadata(path).get(METADATA);
    if (metadata != null) {
      return PeftScales.parse(path + ": " + METADATA, metadata);
    }
    Path config = path.resolveSibling(ADAPTER_CONFIG);
    if (!path.endsWith(ADAPTER) || !Files.isRegularFile(config)) {
      return PeftScales.NONE;
    }
    try {
      return PeftScales.parse(config.toString(), Files.readString(config));
    } catch (IOException e) {
      throw new ModelException(config + " cannot be read: " + Reason.of(e), e);
    }
  }

  public Path path() {
    return path;
  }

  /** Whose names it has. */
  public LoraStyle style() {
    return LoraStyle.of(modules.values());
  }

  /** What it was made for, as far as its names tell. */
  public String target() {
    return LoraKind.of(modules.keySet());
  }

  public SortedSet<Long> ranks() {
    SortedSet<Long> ranks = new TreeSet<>();
    for (LoraModule module : modules.values()) {
      if (module.has(LoraPart.DOWN)) {
        long[] shape = shape(module.key(LoraPart.DOWN));
        ranks.add(shape.length == 0 ? 0 : shape[0]);
      }
    }
    return ranks;
  }

  /** How many modules it changes. */
  public int size() {
    return modules.size();
  }

  Collection<LoraModule> modules() {
    return modules.values();
  }

  /** The names that are no part of a LoRA. */
  List<String> others() {
    return others;
  }

  long[] shape(String key) {
    return tensors.shape(key);
  }

  /** Its tensors in fp32 on {@code device}. */
  Weights on(Device device) {
    return tensors.on(device);
  }

  /**
   * By what the matrices of {@code module} are multiplied: its alpha divided by {@code rank}, else
   * what peft's settings say, else 1. A missing alpha means alpha = rank, in all styles.
   */
  double scale(LoraModule module, long rank) {
    if (rank < 1) {
      throw new ModelException("%s: \"%s\" has the rank 0".formatted(path, module.example()));
    }
    return module.has(LoraPart.ALPHA)
        ? number(module.key(LoraPart.ALPHA)) / rank
        : peft.of(LoraAddress.of(module.name()), rank);
  }

  /** One number of any type: some programs write alpha as an integer. */
  private double number(String key) {
    long[] shape = shape(key);
    if (Arrays.stream(shape).anyMatch(length -> length != 1)) {
      throw new ModelException(
          "%s: \"%s\" has the shape %s, but is one number"
              .formatted(path, key, Arrays.toString(shape)));
    }
    try (NDManager scope = Torch.newManager()) {
      NDArray one = Torch.cast(scope, stored.get(scope, key, shape), ElementType.FLOAT32);
      float number = one.toFloatArray()[0];
      if (!Float.isFinite(number)) {
        throw new ModelException("%s: \"%s\" is %s".formatted(path, key, number));
      }
      return number;
    }
  }

  /** Lets go of the file; what was read of it stays valid. */
  @Override
  public void close() {
    stored.close();
  }
}
