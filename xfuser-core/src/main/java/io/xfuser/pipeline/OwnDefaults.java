package io.xfuser.pipeline;

import io.xfuser.config.InputConfig;
import io.xfuser.config.InputConfigBuilder;
import io.xfuser.transformer.TransformerSpec;
import io.xfuser.weights.ComponentConfig;
import io.xfuser.weights.Placement;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.TreeSet;
import java.util.function.BiConsumer;
import java.util.function.BiFunction;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A model whose directory has defaults of its own for what a request leaves open, in {@code
 * xfuser.json} beside {@code model_index.json}: a JSON object with the names of diffusers'
 * arguments. They come after the request's values and before the pipeline's.
 *
 * @param model the model without them
 * @param defaults what the directory has
 */
record OwnDefaults<C>(PipelineModel<C> model, ComponentConfig defaults)
    implements ForwardingModel<C> {
  /** The file's name. */
  static final String FILE = "xfuser.json";

  private static final List<Default<?>> KNOWN =
      List.of(
          ofInt("height", InputConfig::height, InputConfigBuilder::height),
          ofInt("width", InputConfig::width, InputConfigBuilder::width),
          ofInt("num_frames", InputConfig::numFrames, InputConfigBuilder::numFrames),
          ofInt(
              "num_inference_steps",
              InputConfig::numInferenceSteps,
              InputConfigBuilder::numInferenceSteps),
          ofInt(
              "max_sequence_length",
              InputConfig::maxSequenceLength,
              InputConfigBuilder::maxSequenceLength),
          ofDouble("guidance_scale", InputConfig::guidanceScale, InputConfigBuilder::guidanceScale),
          ofDouble(
              "guidance_rescale",
              InputConfig::guidanceRescale,
              InputConfigBuilder::guidanceRescale),
          ofDouble("true_cfg_scale", InputConfig::trueCfgScale, InputConfigBuilder::trueCfgScale),
          ofDouble("eta", InputConfig::eta, InputConfigBuilder::eta),
          ofBoolean(
              "use_resolution_binning",
              InputConfig::useResolutionBinning,
              InputConfigBuilder::useResolutionBinning),
          ofBoolean("clean_caption", InputConfig::cleanCaption, InputConfigBuilder::cleanCaption));

  /**
   * A value that a request may leave open.
   *
   * @param name in the file
   * @param read reads it there
   * @param given what the request says
   * @param set says it for the request
   */
  private record Default<T>(
      String name,
      BiFunction<ComponentConfig, String, T> read,
      Function<InputConfig, @Nullable T> given,
      BiConsumer<InputConfigBuilder, T> set) {
    void fill(InputConfig input, InputConfigBuilder filled, ComponentConfig own) {
      if (own.has(name)) {
        T value = read.apply(own, name); // read also where it is not needed: its kind is checked
        if (given.apply(input) == null) {
          set.accept(filled, value);
        }
      }
    }
  }

  private static Default<Integer> ofInt(
      String name,
      Function<InputConfig, @Nullable Integer> given,
      BiConsumer<InputConfigBuilder, Integer> set) {
    return new Default<>(name, ComponentConfig::getInt, given, set);
  }

  private static Default<Double> ofDouble(
      String name,
      Function<InputConfig, @Nullable Double> given,
      BiConsumer<InputConfigBuilder, Double> set) {
    return new Default<>(name, ComponentConfig::getDouble, given, set);
  }

  private static Default<Boolean> ofBoolean(
      String name,
      Function<InputConfig, @Nullable Boolean> given,
      BiConsumer<InputConfigBuilder, Boolean> set) {
    return new Default<>(name, ComponentConfig::getBoolean, given, set);
  }

  /**
   * {@code model} with the defaults in {@code directory}, itself if there are none; closed if they
   * cannot be used.
   *
   * @throws IllegalArgumentException naming what is no default of a request, or of another kind
   */
  static PipelineModel<?> of(PipelineModel<?> model, Path directory) {
    Path file = directory.resolve(FILE);
    try {
      return Files.isRegularFile(file) ? of(model, ComponentConfig.read(file)) : model;
    } catch (RuntimeException e) {
      model.close();
      throw e;
    }
  }

  private static <C> PipelineModel<C> of(PipelineModel<C> model, ComponentConfig defaults) {
    List<String> known = KNOWN.stream().map(Default::name).sorted().toList();
    for (String name : new TreeSet<>(defaults.keys())) {
      if (!known.contains(name)) {
        throw new IllegalArgumentException(
            "%s has %s, but defaults of a request are only %s"
                .formatted(defaults.origin(), name, String.join(", ", known)));
      }
    }
    OwnDefaults<C> own = new OwnDefaults<>(model, defaults);
    own.fill(InputConfig.of()); // what is of another kind is named now
    return own;
  }

  @Override
  public GenerationRequest resolve(InputConfig input) {
    return model.resolve(fill(input));
  }

  @Override
  public TransformerSpec<C> transformer(Placement placement) {
    return model.transformer(placement);
  }

  private InputConfig fill(InputConfig input) {
    InputConfigBuilder filled = input.toBuilder();
    KNOWN.forEach(one -> one.fill(input, filled, defaults));
    return filled.build();
  }
}
