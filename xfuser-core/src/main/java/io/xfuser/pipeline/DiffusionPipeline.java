package io.xfuser.pipeline;

import io.xfuser.config.ModelConfig;
import io.xfuser.config.RuntimeConfig;
import io.xfuser.torchscript.ElementType;
import io.xfuser.transformer.LoadedTransformer;
import io.xfuser.transformer.Shared;
import io.xfuser.weights.ComponentConfig;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.ServiceLoader;
import java.util.TreeMap;

/**
 * A diffusers directory, opened. Its components are loaded by the ranks that need them; ranks of
 * one process share them.
 */
public final class DiffusionPipeline implements AutoCloseable {
  private final PipelineModel<?> model;
  private final ElementType type;
  private final LoadedTransformer<?> transformer;
  private final Shared<TextEncoder> textEncoder;
  private final Shared<VaeDecoder> vaeDecoder;

  private DiffusionPipeline(PipelineModel<?> model, ElementType type) {
    this.model = model;
    this.type = type;
    this.transformer = new LoadedTransformer<>(model.transformer());
    this.textEncoder = new Shared<>(model::textEncoder);
    this.vaeDecoder = new Shared<>(model::vaeDecoder);
  }

  /** Opens {@code config}'s directory on the CPU in fp32. */
  public static DiffusionPipeline fromPretrained(ModelConfig config) {
    return fromPretrained(config, RuntimeConfig.defaults());
  }

  /**
   * Opens the directory of {@code config}; its class is the one in {@code model_index.json}.
   *
   * @throws IllegalArgumentException in one sentence, if there is no such pipeline, or a component
   *     is missing or not supported
   */
  public static DiffusionPipeline fromPretrained(ModelConfig config, RuntimeConfig runtime) {
    Path directory = config.directory();
    Path index = directory.resolve("model_index.json");
    if (!Files.isRegularFile(index)) {
      throw new IllegalArgumentException(
          directory + " has no model_index.json, so it is not a diffusers pipeline");
    }
    ComponentConfig components = ComponentConfig.read(index);
    String className = components.getString("_class_name");
    Map<String, PipelineProvider> known = new TreeMap<>();
    for (PipelineProvider provider : ServiceLoader.load(PipelineProvider.class)) {
      provider.classNames().forEach(name -> known.put(name, provider));
    }
    PipelineProvider provider = known.get(className);
    if (provider == null) {
      throw new IllegalArgumentException(
          index
              + ": the pipeline "
              + className
              + " is not supported, only "
              + String.join(", ", known.keySet()));
    }
    return new DiffusionPipeline(
        provider.open(
            new PipelineComponents(directory, components, runtime.dtype(), config.variant())),
        runtime.dtype());
  }

  /** The model's short name. */
  public String name() {
    return model.name();
  }

  /** The components. */
  public PipelineModel<?> model() {
    return model;
  }

  /** Bytes of all weights of the transformer that are in this process. */
  public long transformerBytes() {
    return transformer.parameterBytes();
  }

  /** Its weights have been cast when they were loaded, so no engine can choose another type. */
  void requireType(ElementType wanted) {
    if (wanted != type) {
      throw new IllegalArgumentException(
          "the pipeline was opened in "
              + type.torchName()
              + ", but the engine computes in "
              + wanted.torchName());
    }
  }

  LoadedTransformer<?> transformer() {
    return transformer;
  }

  Shared<TextEncoder> textEncoder() {
    return textEncoder;
  }

  Shared<VaeDecoder> vaeDecoder() {
    return vaeDecoder;
  }

  @Override
  public void close() {
    transformer.close();
    textEncoder.close();
    vaeDecoder.close();
    model.close();
  }
}
