package io.xfuser.models.internal.adapter;

import io.xfuser.config.ModelConfig;
import io.xfuser.failure.ArgumentException;
import io.xfuser.failure.ModelException;
import io.xfuser.internal.picture.PicturePrompts;
import io.xfuser.model.GenerationRequest;
import io.xfuser.model.PipelineComponents;
import io.xfuser.model.PipelineComponents.Given;
import io.xfuser.models.internal.text.ClipPictures;
import io.xfuser.models.internal.weights.ComponentWeights;
import io.xfuser.weights.ComponentConfig;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.DoublePredicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The IP-Adapters (arXiv 2308.06721) that a model is opened with, in files of their authors' names
 * or of diffusers'. Source: diffusers {@code loaders/ip_adapter.py} and {@code
 * loaders/transformer_sd3.py}.
 */
public final class Adapters implements AutoCloseable {
  /** What the first one's component is called. */
  public static final String NAME = ModelConfig.IP_ADAPTER.name();

  /** The setting among what a component is told. */
  public static final String SCALES = "scales";

  private static final Pattern PROJECTION =
      Pattern.compile("(?:ip_adapter_proj_model|image_proj)\\.(.+)");
  private static final Pattern BLOCK =
      Pattern.compile("(?:double_blocks|ip_adapter)\\.(\\d+\\..+)");

  private static final Pattern LAYER =
      Pattern.compile("(image_proj\\.layers\\.\\d+\\.)(\\d\\.\\w+)((?:\\.\\w+)?)");

  /** What InstantX calls the modules of a layer that makes tokens of a picture. */
  private static final Map<String, String> OF_LAYERS =
      Map.of(
          "0.norm1", "ln0",
          "0.norm2", "ln1",
          "0.to_q", "attn.to_q",
          "0.to_kv", "attn.to_kv",
          "0.to_out", "attn.to_out.0",
          "1.0", "adaln_norm",
          "1.1", "ff.net.0.proj",
          "1.3", "ff.net.2",
          "2.1", "adaln_proj");

  private final PipelineComponents components;
  private final List<Adapter> all;

  private Adapters(PipelineComponents components, List<Adapter> all) {
    this.components = components;
    this.all = all;
  }

  /**
   * One of them.
   *
   * @param file that has it
   * @param weights by diffusers' names: {@code image_proj.…}, {@code 0.to_k_ip.…} and so on
   * @param scales how much it counts: one for all blocks, or one for each; none = as is usual
   */
  public record Adapter(Path file, ComponentWeights weights, List<Double> scales) {
    /**
     * A scale for each of so many blocks.
     *
     * @param usual where none is said
     * @throws ArgumentException with both numbers, if there are others
     */
    public List<Double> scales(int blocks, double usual) {
      if (scales.isEmpty()) {
        return Collections.nCopies(blocks, usual);
      }
      if (scales.size() != 1 && scales.size() != blocks) {
        throw new ArgumentException(
            "%s has %d scales, but the transformer has %d blocks with adapters"
                .formatted(ModelConfig.IP_ADAPTER, scales.size(), blocks));
      }
      return scales.size() == 1 ? Collections.nCopies(blocks, scales.get(0)) : scales;
    }

    private boolean counts(DoublePredicate counting) {
      return scales.isEmpty() || scales.stream().anyMatch(counting::test);
    }

    /**
     * The shape of a layer's weights.
     *
     * @throws ModelException naming the file, if there is none, or it is no matrix
     */
    public long[] matrix(String name) {
      long[] shape = weights.shape(name);
      if (shape.length != 2) {
        throw new ModelException(
            "%s: tensor \"%s\" has the shape %s, but the model needs a matrix"
                .formatted(file, name, Arrays.toString(shape)));
      }
      return shape;
    }
  }

  /** What the component of adapter {@code number} is called, counted from 0. */
  public static String component(int number) {
    return number == 0 ? NAME : NAME + "_" + (number + 1);
  }

  /** Those of {@code components}; opening reads headers. */
  public static Adapters of(PipelineComponents components) {
    List<Adapter> all = new ArrayList<>();
    for (int i = 0; components.given().containsKey(component(i)); i++) {
      Given given = Objects.requireNonNull(components.given().get(component(i)));
      ComponentConfig told = Objects.requireNonNull(given.config());
      all.add(
          new Adapter(
              given.place(),
              ComponentWeights.open(components, component(i)).renamed(Adapters::canonical),
              told.getDoubleList(SCALES)));
    }
    return new Adapters(components, List.copyOf(all));
  }

  /** Diffusers' name for {@code stored}, which XLabs' files and others have. */
  static String canonical(String stored) {
    String block = BLOCK.matcher(stored).replaceFirst("$1");
    if (!block.equals(stored)) {
      return block
          .replace("processor.", "")
          .replace("ip_adapter_double_stream_k_proj", "to_k_ip")
          .replace("ip_adapter_double_stream_v_proj", "to_v_ip");
    }
    String projection = PROJECTION.matcher(stored).replaceFirst("image_proj.$1");
    Matcher layer = LAYER.matcher(projection);
    @Nullable String known = layer.matches() ? OF_LAYERS.get(layer.group(2)) : null;
    return known == null ? projection : layer.group(1) + known + layer.group(3);
  }

  public List<Adapter> all() {
    return all;
  }

  /**
   * {@code request} with its pictures that are prompts, if an adapter counts.
   *
   * @param counting which scales of a block make an adapter see pictures
   * @throws ArgumentException if there are no adapters for them, not as many, or nothing that
   *     encodes them
   */
  public GenerationRequest shown(GenerationRequest request, DoublePredicate counting) {
    boolean encoder = !all.isEmpty() && components.has(ClipPictures.ENCODER);
    PicturePrompts pictures = PicturePrompts.of(request.input(), all.size(), encoder);
    boolean counts = all.stream().anyMatch(adapter -> adapter.counts(counting));
    return request.withPrompts(request.prompts().with(counts ? pictures : pictures.unseen()));
  }

  public long bytes() {
    return all.stream().mapToLong(adapter -> adapter.weights().bytes()).sum();
  }

  /** Refuses adapters of a model that takes none. */
  public static void refuse(PipelineComponents components) {
    if (components.given().containsKey(NAME)) {
      throw new ModelException(
          "%s takes no %s".formatted(components.index().getString("_class_name"), NAME));
    }
  }

  @Override
  public void close() {
    all.forEach(adapter -> adapter.weights().close());
  }
}
