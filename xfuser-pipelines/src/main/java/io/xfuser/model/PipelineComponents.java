package io.xfuser.model;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.failure.ModelException;
import io.xfuser.internal.weights.WeightFiles;
import io.xfuser.nn.Range;
import io.xfuser.weights.ComponentConfig;
import io.xfuser.weights.LoadOptions;
import io.xfuser.weights.Placement;
import io.xfuser.weights.Share;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.ServiceLoader;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A diffusers directory whose components are of the classes that a pipeline knows.
 *
 * @param directory the directory
 * @param index its {@code model_index.json}
 * @param loading how its weights are loaded
 * @param given the components that are elsewhere, by name
 */
public record PipelineComponents(
    Path directory, ComponentConfig index, LoadOptions loading, Map<String, Given> given) {

  /**
   * What {@code model_index.json} says of a component that a pipeline may lack and this one does.
   */
  public static final String ABSENT = "[null,null]";

  private static final String FLAX = "Flax";

  private static final Logger LOG = LoggerFactory.getLogger(PipelineComponents.class);
  private static final Set<String> LIBRARIES = Set.of("diffusers", "transformers");

  /** A directory that has all its components. */
  public PipelineComponents(Path directory, ComponentConfig index, LoadOptions loading) {
    this(directory, index, loading, Map.of());
  }

  /**
   * A component that is elsewhere.
   *
   * @param place a folder as diffusers or transformers write it, or a file of weights
   * @param prefix what the names of its tensors begin with in that file
   * @param config its settings; null for those in the folder
   */
  public record Given(Path place, String prefix, @Nullable ComponentConfig config) {}

  /**
   * The tensors of one component, whatever the format of its files, in the run's element type on
   * the device of its {@link Placement}. Opening reads headers; a tensor is read when it is asked
   * for, and stays valid when this is closed. None may be written to: it may be the file itself.
   * Safe for use by several threads. Opened by {@link PipelineComponents#weights}.
   */
  public interface Weights extends AutoCloseable {
    /** The names of all tensors, diffusers' or transformers'. */
    Set<String> names();

    /**
     * The shape of the tensor {@code name}.
     *
     * @throws ModelException if there is none
     */
    long[] shape(String name);

    /**
     * The tensor {@code name}.
     *
     * @param shape the shape that the model needs
     * @throws ModelException naming file and tensor, if it is missing, has another shape, lies
     *     outside its file or holds no floating-point numbers
     */
    NDArray get(NDManager owner, String name, long... shape);

    /**
     * Those elements of the tensor {@code name} that are {@code part} of it along a dimension, for
     * a {@link Share}; the rest is not read.
     *
     * @param shape the shape that the model needs of the whole tensor
     * @throws ModelException as for the whole tensor
     */
    NDArray get(NDManager owner, int dimension, Range part, String name, long... shape);

    /** Lets go of the files. */
    @Override
    void close();
  }

  /** Knows the formats of files of weights; found by {@link ServiceLoader}. */
  public interface WeightFormats {
    /** Opens the weights of component {@code name}, as {@link PipelineComponents#weights} says. */
    Weights open(PipelineComponents components, String name);
  }

  /**
   * Opens the weights of component {@code name}, to be handed out where {@link #loading} places
   * them; closed by whoever asked. LoRAs change nothing of them.
   *
   * @throws ModelException if there are none, or a header does not describe its file
   */
  public Weights weights(String name) {
    return ServiceLoader.load(WeightFormats.class)
        .findFirst()
        .orElseThrow(() -> new ModelException("nothing here reads the weights of " + name))
        .open(this, name);
  }

  /** The same with weights in another place. */
  public PipelineComponents on(Placement placement) {
    return new PipelineComponents(directory, index, loading.to(placement), given);
  }

  /**
   * Checks every component.
   *
   * @param classes the classes that each component may have, by its name; with {@link #ABSENT}
   *     among them it may be absent
   * @throws ModelException if a component is of another class or its folder is missing, or no
   *     component has the variant
   */
  public PipelineComponents check(Map<String, Set<String>> classes) {
    new TreeMap<>(classes).forEach(this::checkComponent);
    String variant = loading.variant();
    if (variant != null) {
      checkVariant(variant, classes.keySet().stream().filter(this::hasWeights).sorted().toList());
    }
    return this;
  }

  private void checkVariant(String variant, List<String> names) {
    List<String> plain =
        names.stream()
            .filter(name -> !given.containsKey(name))
            .filter(name -> !WeightFiles.hasVariant(folder(name), baseName(name), variant))
            .toList();
    if (plain.size() == names.size() && !names.isEmpty()) {
      throw new ModelException(directory + " has no weights of the variant " + variant);
    }
    if (!plain.isEmpty()) {
      LOG.warn(
          "{} has no weights of the variant {} in {}: the plain ones are read",
          directory,
          variant,
          String.join(", ", plain));
    }
  }

  private boolean hasWeights(String name) {
    return has(name) && WeightFiles.exist(className(name));
  }

  private void checkComponent(String name, Set<String> known) {
    String usable = String.join(", ", new TreeSet<>(known));
    if (!index.has(name) && !known.contains(ABSENT)) {
      throw new ModelException(
          "%s has no %s: it must name one of %s".formatted(index.origin(), name, usable));
    }
    String found = has(name) ? className(name) : index.text(name);
    if (!known.contains(found)) {
      throw new ModelException(
          "%s: %s is %s, but only %s can be used here"
              .formatted(index.origin(), name, found, usable));
    }
    if (has(name) && !LIBRARIES.contains(libraryAndClass(name).get(0))) {
      throw new ModelException(
          "%s: %s is %s of %s, but only classes of diffusers and transformers can be used here"
              .formatted(index.origin(), name, found, libraryAndClass(name).get(0)));
    }
    if (has(name) && !given.containsKey(name) && !Files.isDirectory(folder(name))) {
      throw new ModelException(directory + " has no folder " + name);
    }
  }

  /** The base name of the files of weights of component {@code name}, by its library. */
  public String baseName(String name) {
    return WeightFiles.baseName(libraryAndClass(name).get(0));
  }

  private List<String> libraryAndClass(String name) {
    List<String> both = index.getStringList(name);
    if (both.size() != 2) {
      throw new ModelException(
          "%s: %s is %s, but must be a library and a class"
              .formatted(index.origin(), name, index.text(name)));
    }
    return both;
  }

  /** Whether there is a component {@code name}. */
  public boolean has(String name) {
    return index.has(name) && !index.text(name).equals(ABSENT);
  }

  /**
   * The class of component {@code name}, without its library. Flax' classes are read as those of
   * the same name without "Flax", as in diffusers.
   */
  public String className(String name) {
    String found = libraryAndClass(name).get(1);
    return found.startsWith(FLAX) ? found.substring(FLAX.length()) : found;
  }

  /** The folder of component {@code name}, or the file that has its weights. */
  public Path folder(String name) {
    Given elsewhere = given.get(name);
    return elsewhere == null ? directory.resolve(name) : elsewhere.place();
  }

  /**
   * The settings in {@code file} of component {@code name}, for the class that {@code
   * model_index.json} names: the file's own {@code _class_name} does not count.
   */
  public ComponentConfig config(String name, String file) {
    Given elsewhere = given.get(name);
    ComponentConfig config =
        elsewhere == null || elsewhere.config() == null
            ? ComponentConfig.read(folder(name).resolve(file))
            : elsewhere.config();
    return config.ofClass(className(name));
  }
}
