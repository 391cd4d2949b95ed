package io.xfuser.models.internal.weights;

import io.xfuser.failure.ModelException;
import io.xfuser.internal.weights.Prefetcher;
import io.xfuser.model.PipelineComponents;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Torch;
import io.xfuser.weights.LoadOptions;
import io.xfuser.weights.LoadOptions.Quantized;
import io.xfuser.weights.Placement;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;

/**
 * Where a component's {@link Weights} come from: the files of a component, open. Whoever computes
 * with weights takes them from here and knows neither files nor their formats. Opening reads and
 * checks headers alone; files stay mapped until this is closed, and what was read stays valid then.
 *
 * <p>The layers, from the inside: files with names of their own; those names made diffusers' or
 * transformers' ({@link #renamed}); element type and device; then whatever changes weights ({@link
 * #decorated}), which sees canonical names and works on the device.
 */
public final class ComponentWeights implements AutoCloseable {
  private final FileWeights files;
  private final LoadOptions loading;
  private final Decorator decorator;

  private ComponentWeights(FileWeights files, LoadOptions loading, Decorator decorator) {
    this.files = files;
    this.loading = loading;
    this.decorator = decorator;
  }

  /** Changes a component's weights as they are read. */
  public interface Decorator extends AutoCloseable {
    /** Changes nothing. */
    Decorator NONE = (weights, source, placement) -> weights;

    /**
     * {@code weights} with what is changed in them.
     *
     * @param source which tensors there are, by the names that {@code weights} have
     * @param placement where the weights are handed out
     */
    Weights over(Weights weights, ComponentWeights source, Placement placement);

    /** Lets go of what it reads; called with the component's {@link ComponentWeights#close}. */
    @Override
    default void close() {}
  }

  /**
   * Opens the weights of component {@code name}.
   *
   * @throws ModelException if there are none, or a header does not describe its file
   */
  public static ComponentWeights open(PipelineComponents components, String name) {
    PipelineComponents.Given given = components.given().get(name);
    LoadOptions loading = components.loading().forComponent(name);
    if (given != null && !Files.isDirectory(given.place())) {
      return new ComponentWeights(
          FileWeights.ofCheckpoint(given.place(), given.prefix(), loading.type()),
          loading,
          Decorator.NONE);
    }
    return open(components.folder(name), components.baseName(name), loading);
  }

  /**
   * Opens the weights in a component's folder.
   *
   * @param baseName {@code diffusion_pytorch_model} for a component of diffusers, {@code model} for
   *     one of transformers
   * @throws ModelException if there are none, or a header does not describe its file
   */
  public static ComponentWeights open(Path folder, String baseName, LoadOptions loading) {
    return new ComponentWeights(
        FileWeights.open(folder, baseName, loading.type(), loading.variant()),
        loading,
        Decorator.NONE);
  }

  /**
   * The same weights by other names: what {@code names} gives for a name of the file, and without
   * those for which that is empty. Both share the files, and closing one closes the other.
   */
  public ComponentWeights renamed(UnaryOperator<String> names) {
    return new ComponentWeights(files.renamed(names), loading, decorator);
  }

  /** The same weights, changed by {@code other} as they are read; this closes it. */
  public ComponentWeights decorated(Decorator other) {
    return new ComponentWeights(files, loading, other);
  }

  /** All tensors, as the files have them. */
  public Tensors tensors() {
    return files.tensors();
  }

  public Set<String> names() {
    return files.names();
  }

  /** The shape of the tensor {@code name}; throws {@link ModelException} if there is none. */
  public long[] shape(String name) {
    return files.shape(name);
  }

  /** The shapes of all tensors, by their names. */
  public Map<String, long[]> shapes() {
    Map<String, long[]> shapes = new HashMap<>();
    names().forEach(name -> shapes.put(name, shape(name)));
    return shapes;
  }

  /** Bytes of all floating-point tensors as they are handed out. */
  public long bytes() {
    return files.bytes();
  }

  public LoadOptions loading() {
    return loading;
  }

  /** The weights in the type and the place that the component is loaded to. */
  public Weights handedOut() {
    return handedOut(loading.type(), loading.placement());
  }

  /** The weights in the component's type on the device of {@code placement}. */
  public Weights handedOut(Placement placement) {
    return handedOut(loading.type(), placement);
  }

  public Weights handedOut(ElementType type) {
    return handedOut(type, loading.placement());
  }

  public Weights handedOut(ElementType type, Placement placement) {
    if (placement.isNowhere()) { // LoRAs change neither shapes nor types
      return quantized(files.as(type).promised(), Int8.ofThisMachine().promised());
    }
    FileWeights there = files.as(type).on(placement.device());
    Prefetcher prefetcher = placement.prefetcher();
    FileWeights own =
        prefetcher == null ? kept(there, type, placement) : there.read(prefetcher.chunkBytes());
    Weights changed = decorator.over(own, this, placement);
    return quantized(changed, Int8.ofThisMachine());
  }

  private FileWeights kept(FileWeights weights, ElementType type, Placement placement) {
    boolean cheap = weights.bytes() >= loading.keptFrom() && Torch.multipliesInFloat32(type);
    return cheap || placement.layerwise() ? weights.keeping() : weights; // widened in parts
  }

  private Weights quantized(Weights changed, Int8 int8) {
    return loading.quantized() == Quantized.ALL ? new Int8Weights(changed, int8) : changed;
  }

  /**
   * The weights for a reader that is tried before it is needed: what it gets has the shapes that it
   * asks for, which are checked, but nothing of the files and no memory.
   */
  public Weights promised() {
    return promised(loading.type());
  }

  public Weights promised(ElementType type) {
    return decorator.over(files.as(type).promised(), this, loading.placement());
  }

  /**
   * Warns of tensors that the model does not know, naming some, once for all that read the same
   * files. Diffusers and transformers warn too: a checkpoint may have more than a model needs.
   */
  public void reportUnknown(Predicate<String> known) {
    files.reportUnknown(known);
  }

  /**
   * Adds what is in the files to {@code digest}.
   *
   * @throws IOException if a file cannot be read
   */
  public void digest(ContentDigest digest) throws IOException {
    digest.weights(files);
  }

  /** Lets go of the files; tensors handed out stay valid. */
  @Override
  public void close() {
    files.close();
    decorator.close();
  }
}
