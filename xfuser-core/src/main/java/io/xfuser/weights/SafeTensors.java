package io.xfuser.weights;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Torch;
import io.xfuser.torchscript.Upload;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Weights in one safetensors file or several with an index. Opening reads and checks the headers
 * alone; the files are mapped, so memory holds only the tensors that were asked for, and tensors
 * whose file type is the run's type are the file itself, not copied. Closing lets go of the files;
 * tensors handed out stay valid.
 *
 * <p>Floating-point tensors are cast to the run's type, integers and booleans stay as they are.
 */
public final class SafeTensors implements Weights, AutoCloseable {
  private static final int NAMES_SHOWN = 5;

  private final Path origin;
  private final Map<String, SafeTensorsFile> fileOf;
  private final @Nullable ElementType runType;
  private final @Nullable Upload upload; // null for the CPU

  private SafeTensors(
      Path origin, Map<String, SafeTensorsFile> fileOf, @Nullable ElementType runType) {
    this(origin, fileOf, runType, null);
  }

  private SafeTensors(
      Path origin,
      Map<String, SafeTensorsFile> fileOf,
      @Nullable ElementType runType,
      @Nullable Upload upload) {
    this.origin = origin;
    this.fileOf = fileOf;
    this.runType = runType;
    this.upload = upload;
  }

  /**
   * Opens the weights of a component directory: {@code baseName.safetensors}, else the shards that
   * {@code baseName.safetensors.index.json} names.
   *
   * @param baseName {@code diffusion_pytorch_model} or {@code model}
   * @throws WeightsException if there are none, or a header does not describe its file
   */
  public static SafeTensors open(Path directory, String baseName, ElementType runType) {
    return open(directory, baseName, runType, null);
  }

  /**
   * The same with a variant, {@code fp16} for example: {@code baseName.fp16.safetensors} or {@code
   * baseName.safetensors.index.fp16.json}. As in diffusers, a component that does not have the
   * variant is read from its plain files; {@link #hasVariant} tells.
   */
  public static SafeTensors open(
      Path directory, String baseName, ElementType runType, @Nullable String variant) {
    Path file = WeightFiles.find(directory, baseName, variant);
    return file.toString().endsWith(".json") ? openShards(file, runType) : openFile(file, runType);
  }

  /** The same for {@code loading}: its type and variant, handed out on its device. */
  public static SafeTensors open(Path directory, String baseName, Loading loading) {
    return open(directory, baseName, loading.type(), loading.variant())
        .on(loading.placement().device());
  }

  /** Whether {@code directory} has weights of this variant. */
  public static boolean hasVariant(Path directory, String baseName, String variant) {
    return WeightFiles.ofVariant(directory, baseName, variant).isPresent();
  }

  /**
   * The names under which a component directory may have its weights, the one that {@link #open}
   * prefers first: a file, or an index ({@code .json}) of several.
   *
   * @param variant that the names must have, {@code null} for plain ones
   */
  public static List<String> fileNames(String baseName, @Nullable String variant) {
    return WeightFiles.names(baseName, variant);
  }

  /**
   * The names of the files that {@code index} lists, in its directory.
   *
   * @throws WeightsException if it is no index
   */
  public static Set<String> shardNames(Path index) {
    return ShardIndex.fileNames(index);
  }

  /** Opens one file; without a {@code runType} every tensor keeps the type it has there. */
  public static SafeTensors openFile(Path file, @Nullable ElementType runType) {
    SafeTensorsFile only = new SafeTensorsFile(file);
    Map<String, SafeTensorsFile> fileOf = new LinkedHashMap<>();
    only.header().entries().keySet().forEach(name -> fileOf.put(name, only));
    return new SafeTensors(file, fileOf, runType);
  }

  private static SafeTensors openShards(Path index, ElementType runType) {
    Map<String, Path> shardOf = ShardIndex.read(index);
    Map<Path, SafeTensorsFile> shards = new LinkedHashMap<>();
    Map<String, SafeTensorsFile> fileOf = new LinkedHashMap<>();
    try {
      for (Path shard : new TreeSet<>(shardOf.values())) {
        shards.put(shard, new SafeTensorsFile(shard));
      }
      for (Map.Entry<String, Path> entry : shardOf.entrySet()) {
        SafeTensorsFile shard = shards.get(entry.getValue());
        if (shard == null || !shard.header().entries().containsKey(entry.getKey())) {
          throw new WeightsException(
              "%s has no tensor \"%s\", which %s promises"
                  .formatted(entry.getValue(), entry.getKey(), index.getFileName()));
        }
        fileOf.put(entry.getKey(), shard);
      }
      // What the index forgot is there nevertheless.
      for (SafeTensorsFile shard : shards.values()) {
        shard.header().entries().keySet().forEach(name -> fileOf.putIfAbsent(name, shard));
      }
    } catch (WeightsException e) {
      shards.values().forEach(SafeTensorsFile::close);
      throw e;
    }
    return new SafeTensors(index, fileOf, runType);
  }

  /**
   * The same weights, handed out on {@code device}: what is asked for goes there from the mapped
   * files through a buffer of bounded size, and is cast there. Both share the files, and closing
   * one closes the other.
   */
  public SafeTensors on(Device device) {
    return device.isGpu() ? through(Upload.to(device)) : this;
  }

  SafeTensors through(Upload way) {
    return new SafeTensors(origin, fileOf, runType, way);
  }

  /** The names of all tensors. */
  public Set<String> names() {
    return Collections.unmodifiableSet(fileOf.keySet());
  }

  /** The shape of the tensor {@code name}; throws {@link WeightsException} if there is none. */
  public long[] shape(String name) {
    return entry(name).shape().clone();
  }

  /** The element type of the tensor {@code name} in the file. */
  public ElementType fileType(String name) {
    return entry(name).type();
  }

  @Override
  public Weights at(String prefix) {
    return new Prefixed(this, prefix);
  }

  @Override
  public boolean has(String name) {
    return fileOf.containsKey(name);
  }

  @Override
  public NDArray get(NDManager owner, String name, long... shape) {
    SafeTensorsHeader.Entry entry = entry(name, shape);
    SafeTensorsFile file = fileOf(name);
    ElementType type = wanted(entry);
    if (upload == null && type == entry.type()) {
      return file.get(owner, entry);
    }
    try (NDManager scope = owner.newSubManager()) {
      return Torch.cast(owner, placed(scope, file.get(scope, entry)), type);
    }
  }

  @Override
  public NDArray get(NDManager owner, Cut cut, String name, long... shape) {
    if (cut.length() == shape[cut.dim()]) {
      return get(owner, name, shape);
    }
    SafeTensorsHeader.Entry entry = entry(name, shape);
    SafeTensorsFile file = fileOf(name);
    try (NDManager scope = owner.newSubManager()) {
      NDArray part =
          cut.dim() == 0
              ? file.get(scope, entry.rows(cut))
              : Torch.slice(scope, file.get(scope, entry), cut.dim(), cut.from(), cut.to());
      NDArray typed = Torch.cast(scope, placed(scope, part), wanted(entry));
      return Torch.contiguous(owner, typed);
    }
  }

  private ElementType wanted(SafeTensorsHeader.Entry entry) {
    return runType == null || !isFloating(entry.type()) ? entry.type() : runType;
  }

  private NDArray placed(NDManager scope, NDArray mapped) {
    return upload == null ? mapped : upload.copy(scope, mapped);
  }

  private SafeTensorsHeader.Entry entry(String name, long[] shape) {
    SafeTensorsHeader.Entry entry = entry(name);
    if (!Arrays.equals(entry.shape(), shape)) {
      throw new WeightsException(
          "%s: tensor \"%s\" has the shape %s, but the model needs %s"
              .formatted(
                  fileOf(name).path(),
                  name,
                  Arrays.toString(entry.shape()),
                  Arrays.toString(shape)));
    }
    return entry;
  }

  @Override
  public void rejectUnknown(Predicate<String> known) {
    List<String> unknown = fileOf.keySet().stream().filter(known.negate()).sorted().toList();
    if (!unknown.isEmpty()) {
      String names =
          unknown.stream().limit(NAMES_SHOWN).collect(Collectors.joining("\", \"", "\"", "\""));
      int more = unknown.size() - NAMES_SHOWN;
      throw new WeightsException(
          "%s has %d tensors that the model does not know: %s%s"
              .formatted(origin, unknown.size(), names, more > 0 ? " and " + more + " more" : ""));
    }
  }

  @Override
  public void close() {
    Set.copyOf(fileOf.values()).forEach(SafeTensorsFile::close);
  }

  private SafeTensorsFile fileOf(String name) {
    SafeTensorsFile file = fileOf.get(name);
    if (file == null) {
      throw new WeightsException(origin + " has no tensor \"" + name + "\"");
    }
    return file;
  }

  private SafeTensorsHeader.Entry entry(String name) {
    SafeTensorsHeader.Entry entry = fileOf(name).header().entries().get(name);
    if (entry == null) {
      throw new WeightsException(origin + " has no tensor \"" + name + "\"");
    }
    return entry;
  }

  private static boolean isFloating(ElementType type) {
    return switch (type) {
      case FLOAT32, FLOAT16, BFLOAT16, FLOAT64 -> true;
      case INT64, INT32, INT8, UINT8, BOOL -> false;
    };
  }

  private record Prefixed(SafeTensors all, String prefix) implements Weights {
    @Override
    public Weights at(String more) {
      return new Prefixed(all, prefix + more);
    }

    @Override
    public boolean has(String name) {
      return all.has(prefix + name);
    }

    @Override
    public NDArray get(NDManager owner, String name, long... shape) {
      return all.get(owner, prefix + name, shape);
    }

    @Override
    public NDArray get(NDManager owner, Cut cut, String name, long... shape) {
      return all.get(owner, cut, prefix + name, shape);
    }
  }
}
