package io.xfuser.models.internal.weights;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.failure.ModelException;
import io.xfuser.internal.device.Upload;
import io.xfuser.internal.weights.ReadBytes;
import io.xfuser.internal.weights.WeightFiles;
import io.xfuser.torchscript.ElementType;
import io.xfuser.weights.ComponentConfig;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Weights in one file, of safetensors or GGUF, or several with an index. Opening reads and checks
 * the headers alone; the files are mapped, so memory holds only the tensors that were asked for,
 * and tensors whose file type is the run's type are the file itself, not copied. Closing lets go of
 * the files; tensors handed out stay valid.
 *
 * <p>Tensors are cast to the run's type; a model that needs one of integers, as quantized weights
 * are, is refused.
 */
public final class FileWeights implements Weights, AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(FileWeights.class);
  private static final int NAMES_SHOWN = 5;

  private final TensorFiles files;
  private final Handing handing;
  private final boolean promised; // nothing is read
  private final AtomicBoolean reported; // whether unknown tensors were

  private FileWeights(
      TensorFiles files, Handing handing, boolean promised, AtomicBoolean reported) {
    this.files = files;
    this.handing = handing;
    this.promised = promised;
    this.reported = reported;
  }

  /**
   * Opens the weights of a component directory, of {@code baseName.safetensors} or the shards that
   * {@code baseName.safetensors.index.json} names. Where both are there, the shards count in a
   * component of diffusers and the single file in one of transformers, as in these libraries.
   *
   * @param baseName {@code diffusion_pytorch_model} for a component of diffusers, {@code model} for
   *     one of transformers; see {@link WeightFiles}
   * @throws ModelException if there are none, or a header does not describe its file
   */
  public static FileWeights open(Path directory, String baseName, ElementType runType) {
    return open(directory, baseName, runType, null);
  }

  /**
   * The same with a variant, {@code fp16} for example: {@code baseName.fp16.safetensors} or {@code
   * baseName.safetensors.index.fp16.json}. As in diffusers, a component that does not have the
   * variant is read from its plain files; {@link WeightFiles#hasVariant} tells.
   */
  public static FileWeights open(
      Path directory, String baseName, ElementType runType, @Nullable String variant) {
    return openFile(WeightFiles.find(directory, baseName, variant), runType);
  }

  /**
   * Opens one file, or the shards of an index ({@code .json}); without a {@code runType} every
   * tensor keeps the type it has there, integers among them.
   */
  public static FileWeights openFile(Path file, @Nullable ElementType runType) {
    Handing handing = Handing.AS_STORED.as(runType);
    return new FileWeights(TensorFiles.open(file), handing, false, new AtomicBoolean());
  }

  /** The component at {@code prefix} of a file without settings, by the names of its model. */
  static FileWeights ofCheckpoint(Path file, String prefix, ElementType runType) {
    return new FileWeights(
        Checkpoint.canonical(TensorFiles.open(file), prefix),
        Handing.AS_STORED.as(runType),
        false,
        new AtomicBoolean());
  }

  /**
   * The same weights, handed out on {@code device}: what is asked for goes there from the mapped
   * files through a buffer of bounded size, and is cast there. Both share the files, and closing
   * one closes the other.
   */
  public FileWeights on(Device device) {
    return device.isGpu() ? through(Upload.to(device)) : this;
  }

  FileWeights through(Upload way) {
    return new FileWeights(files, handing.by(way, handing.chunkBytes()), promised, reported);
  }

  /**
   * The same weights, read from the files by {@code chunkBytes} at a time when they are asked for,
   * into memory of their own. Both share the files, and closing one closes the other.
   */
  public FileWeights read(int chunkBytes) {
    Upload upload = handing.upload();
    Upload way = upload == null ? null : upload.by(chunkBytes);
    return new FileWeights(files, handing.by(way, chunkBytes), promised, reported);
  }

  /**
   * The same weights, of which linear layers are multiplied by what is in the mapped file, where it
   * {@linkplain Weights#inFile is}. Both share the files, and closing one closes the other.
   */
  FileWeights keeping() {
    return new FileWeights(files, handing.keeping(), promised, reported);
  }

  @Override
  public boolean keepsTypes() {
    return handing.keeps();
  }

  @Override
  public Optional<InFile> inFile(NDManager owner, Cut cut, String name, long... shape) {
    Stored tensor = stored(name, shape);
    ElementType type = handing.typeOf(tensor.type());
    return promised || !handing.inPlace()
        ? Optional.empty()
        : tensor.mapped(owner, Window.of(cut)).map(there -> new InFile(there, type, () -> {}));
  }

  @Override
  public @Nullable Weights outline() {
    return handing.chunkBytes() == 0 || promised ? null : promised();
  }

  /** The same weights in {@code type}. Both share the files, and closing one closes the other. */
  public FileWeights as(ElementType type) {
    return new FileWeights(files, handing.as(type), promised, reported);
  }

  /**
   * The same weights by other names: what {@code names} gives for a name of the file, and without
   * those for which that is empty. Both share the files, and closing one closes the other.
   */
  public FileWeights renamed(UnaryOperator<String> names) {
    return new FileWeights(files.renamed(names), handing, promised, reported);
  }

  /**
   * The same weights for a reader that is tried before it is needed: what it gets has the shapes
   * that it asks for, which are checked, but nothing of the files and no memory. Both share the
   * files, and closing one closes the other.
   */
  public FileWeights promised() {
    return new FileWeights(files, handing, true, reported);
  }

  /** What else a safetensors file says of itself; nothing of another file. */
  public static Map<String, String> metadata(Path file) {
    return GgufHeader.begins(file) ? Map.of() : SafeTensorsHeader.read(file).metadata();
  }

  Tensors tensors() {
    return new Tensors(files.tensors());
  }

  public Set<String> names() {
    return Collections.unmodifiableSet(files.tensors().keySet());
  }

  /** The shape of the tensor {@code name}; throws {@link ModelException} if there is none. */
  public long[] shape(String name) {
    return stored(name).shape().clone();
  }

  /** Bytes of all floating-point tensors as they are handed out. */
  public long bytes() {
    return files.tensors().values().stream()
        .filter(Stored::floating)
        .mapToLong(
            tensor ->
                LongStream.of(tensor.shape())
                    .reduce(handing.typeOf(tensor.type()).bytes(), Math::multiplyExact))
        .sum();
  }

  @Override
  public boolean has(String name) {
    return files.tensors().containsKey(name);
  }

  @Override
  public NDArray get(NDManager owner, String name, long... shape) {
    return read(owner, Window.WHOLE, name, shape);
  }

  @Override
  public NDArray get(NDManager owner, Cut cut, String name, long... shape) {
    boolean all = cut.length() == shape[cut.dim()];
    return read(owner, all ? Window.WHOLE : Window.of(cut), name, shape);
  }

  private NDArray read(NDManager owner, Window window, String name, long[] shape) {
    Stored tensor = stored(name, shape);
    return ReadBytes.count(
        promised
            ? MappedFile.promised(owner, handing.typeOf(tensor.type()), window.shape(shape))
            : tensor.read(owner, window, handing));
  }

  /** A tensor of the shape that the model needs and of a type that it can compute with. */
  private Stored stored(String name, long[] shape) {
    Stored tensor = stored(name);
    requireFloats(name, tensor);
    if (!Arrays.equals(tensor.shape(), shape)) {
      throw new ModelException(
          "%s: tensor %s has the shape %s, but the model needs %s"
              .formatted(
                  tensor.file(),
                  files.title(name),
                  Arrays.toString(tensor.shape()),
                  Arrays.toString(shape)));
    }
    return tensor;
  }

  private void requireFloats(String name, Stored tensor) {
    if (!tensor.readable() || (handing.type() != null && !tensor.floating())) {
      throw new ModelException(
          "%s: tensor %s is %s, but the model needs floating-point numbers%s"
              .formatted(tensor.file(), files.title(name), tensor.typeName(), quantization()));
    }
  }

  private String quantization() {
    return ComponentConfig.quantization(files.tensors().keySet());
  }

  @Override
  public void expect(Predicate<String> used) {
    names().stream().filter(used).forEach(name -> requireFloats(name, stored(name)));
    if (!quantization().isEmpty()) {
      throw new ModelException(files.origin() + quantization());
    }
    reportUnknown(used);
  }

  /**
   * Warns of tensors that the model does not know, naming some, once for all that read the same
   * files. Diffusers and transformers warn too: a checkpoint may have more than a model needs.
   */
  public void reportUnknown(Predicate<String> known) {
    warning(known).ifPresent(LOG::warn);
  }

  /** What to say of tensors that the model does not know; nothing where that was said before. */
  Optional<String> warning(Predicate<String> known) {
    List<String> unknown =
        reported.get() ? List.of() : names().stream().filter(known.negate()).sorted().toList();
    return unknown.isEmpty() || reported.getAndSet(true)
        ? Optional.empty()
        : Optional.of(sentence(unknown));
  }

  private String sentence(List<String> unknown) {
    String names =
        unknown.stream().limit(NAMES_SHOWN).collect(Collectors.joining("\", \"", "\"", "\""));
    int more = unknown.size() - NAMES_SHOWN;
    return "%s has %d %s that the model does not use: %s%s"
        .formatted(
            files.origin(),
            unknown.size(),
            unknown.size() == 1 ? "tensor" : "tensors",
            names,
            more > 0 ? " and " + more + " more" : "");
  }

  @Override
  public void close() {
    files.close();
  }

  Stored stored(String name) {
    Stored tensor = files.tensors().get(name);
    if (tensor == null) {
      throw new ModelException(files.origin() + " has no tensor \"" + name + "\"" + quantization());
    }
    return tensor;
  }
}
