package io.xfuser.pipeline;

import io.xfuser.config.InputConfig;
import io.xfuser.config.InputConfigBuilder;
import io.xfuser.config.ModelConfig;
import io.xfuser.config.Setting;
import io.xfuser.failure.ModelException;
import io.xfuser.model.GenerationRequest;
import io.xfuser.model.PipelineModel;
import io.xfuser.transformer.TransformerSpec;
import io.xfuser.weights.ComponentConfig;
import io.xfuser.weights.Placement;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * A model whose directory has defaults of its own for what a request leaves open, in {@code
 * xfuser.json} beside {@code model_index.json}: a JSON object with the names of diffusers'
 * arguments. They come after the request's values and before the pipeline's. How the model is
 * loaded may be there too.
 *
 * @param model the model without them
 * @param defaults what the directory has
 */
record OwnDefaults<C>(PipelineModel<C> model, Map<Setting<?>, Object> defaults)
    implements PipelineModel.Forwarding<C> {
  /** The file's name. */
  static final String FILE = "xfuser.json";

  /** What a request leaves to the pipeline, but for its texts. */
  private static final List<Setting<?>> KNOWN =
      List.of(
          InputConfig.CLEAN_CAPTION,
          InputConfig.ETA,
          InputConfig.GUIDANCE_RESCALE,
          InputConfig.GUIDANCE_SCALE,
          InputConfig.GUIDANCE_SCALE_2,
          InputConfig.HEIGHT,
          InputConfig.MAX_SEQUENCE_LENGTH,
          InputConfig.NUM_FRAMES,
          InputConfig.NUM_INFERENCE_STEPS,
          InputConfig.TRUE_CFG_SCALE,
          InputConfig.USE_DYNAMIC_CFG,
          InputConfig.USE_RESOLUTION_BINNING,
          InputConfig.WIDTH);

  /** How a model is loaded, where it is not said. */
  private static final List<Setting<?>> LOADING =
      List.of(ModelConfig.QUANTIZE, ModelConfig.QUANTIZE_TEXT_ENCODER);

  /**
   * {@code config} with what the file in {@code directory}, if there is one, says of how the model
   * is loaded.
   *
   * @throws ModelException naming a value of another kind
   */
  static ModelConfig complete(ModelConfig config, Path directory) {
    Path path = directory.resolve(FILE);
    if (!Files.isRegularFile(path)) {
      return config;
    }
    ComponentConfig file = ComponentConfig.read(path);
    ModelConfig.Builder completed = config.toBuilder();
    read(LOADING, file)
        .forEach(
            (setting, value) ->
                completed.set(setting, config.has(setting) ? config.get(setting) : value));
    return completed.build();
  }

  /**
   * {@code model} with the defaults in {@code directory}, itself if there are none; closed if they
   * cannot be used.
   *
   * @throws ModelException naming what is no default of a request, or of another kind
   */
  static PipelineModel<?> of(PipelineModel<?> model, Path directory) {
    Path file = directory.resolve(FILE); // none beside a model of one file
    try {
      return Files.isRegularFile(file) ? of(model, ComponentConfig.read(file)) : model;
    } catch (RuntimeException e) {
      model.close();
      throw e;
    }
  }

  private static <C> PipelineModel<C> of(PipelineModel<C> model, ComponentConfig file) {
    List<String> names =
        Stream.concat(KNOWN.stream(), LOADING.stream()).map(Setting::name).toList();
    for (String name : new TreeSet<>(file.keys())) {
      if (!names.contains(name)) {
        throw new ModelException(
            "%s has %s, but defaults of a request are only %s"
                .formatted(file.origin(), name, String.join(", ", names)));
      }
    }
    return new OwnDefaults<>(model, read(KNOWN, file));
  }

  private static Map<Setting<?>, Object> read(List<Setting<?>> settings, ComponentConfig file) {
    Map<Setting<?>, Object> values = new LinkedHashMap<>();
    settings.stream()
        .filter(setting -> file.has(setting.name()))
        .forEach(setting -> values.put(setting, read(setting, file)));
    return values;
  }

  private static Object read(Setting<?> setting, ComponentConfig file) {
    try {
      return setting.readJson(file.value(setting.name()));
    } catch (IllegalArgumentException e) {
      throw new ModelException(file.origin() + ": " + e.getMessage(), e);
    }
  }

  @Override
  public GenerationRequest resolve(InputConfig input) {
    return model.resolve(fill(input));
  }

  @Override
  public TransformerSpec<C> transformer(Placement placement) {
    return model.transformer(placement);
  }

  @Override
  public List<TransformerSpec<C>> transformers(Placement placement) {
    return model.transformers(placement);
  }

  private InputConfig fill(InputConfig input) {
    InputConfigBuilder filled = input.toBuilder();
    defaults.forEach(
        (setting, value) -> {
          if (!input.has(setting)) {
            filled.set(setting, value);
          }
        });
    return filled.build();
  }
}
