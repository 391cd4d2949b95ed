package io.xfuser.examples.gpucheck;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.xfuser.config.InputConfig;
import io.xfuser.config.ModelConfig;
import io.xfuser.config.OutputType;
import io.xfuser.config.RuntimeConfig;
import io.xfuser.model.PipelineModel;
import io.xfuser.models.internal.adaln.AdaLn;
import io.xfuser.models.internal.flux.Flux;
import io.xfuser.models.internal.flux.FluxConfig;
import io.xfuser.models.internal.pixart.PixArt;
import io.xfuser.models.internal.weights.Weights;
import io.xfuser.pipeline.DiffusionPipeline;
import io.xfuser.torchscript.ElementType;
import io.xfuser.weights.ComponentConfig;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;

/**
 * A model of the size that people use, without its weights.
 *
 * @param title what it is called
 * @param settings the resource with its transformer's config.json
 * @param tiny the tiny pipeline that all the rest is of: no text is encoded, and nothing decoded
 * @param steps denoising steps
 * @param guidance its guidance scale
 * @param opening makes the pipeline of its directory
 * @param text its text embeddings for one picture
 */
record RealSize(
    String title,
    String settings,
    String tiny,
    int steps,
    double guidance,
    PipelineOpener opening,
    Function<NDManager, Map<String, NDArray>> text) {

  /** Flux.1-dev and PixArt-Σ, at the number of steps that they are usually drawn with. */
  static final List<RealSize> ALL =
      List.of(
          new RealSize(
              "Flux.1-dev",
              "flux_dev.json",
              "flux_dev_tiny",
              28,
              3.5,
              (rest, config, weights) ->
                  new RandomModel<>(
                      rest, place -> new Flux(FluxConfig.from(config), weights.at(place.device()))),
              owner ->
                  Map.of(
                      "prompt_embeds", RandomWeights.text(owner, "prompt_embeds", 1, 512, 4096),
                      "pooled_prompt_embeds", RandomWeights.text(owner, "pooled", 1, 768))),
          new RealSize(
              "PixArt-Σ",
              "pixart_sigma.json",
              "pixart_sigma_tiny",
              20,
              4.5,
              (rest, config, weights) ->
                  new RandomModel<>(
                      rest, place -> new AdaLn(PixArt.config(config), weights.at(place.device()))),
              owner ->
                  Map.of(
                      "prompt_embeds", RandomWeights.text(owner, "prompt_embeds", 1, 300, 4096),
                      "prompt_attention_mask", RandomWeights.ones(owner, 1, 300),
                      "negative_prompt_embeds", RandomWeights.text(owner, "negative", 1, 300, 4096),
                      "negative_prompt_attention_mask", RandomWeights.ones(owner, 1, 300))));

  /** What a dry run on a CPU has of it. */
  static final Map<String, Integer> SMALL =
      Map.of("num_layers", 2, "num_single_layers", 2, "num_attention_heads", 2);

  /** Weights for a device. */
  @FunctionalInterface
  interface RealSizeRun {
    Weights at(Device device);
  }

  /** Puts the transformer of a config into a pipeline. */
  @FunctionalInterface
  interface PipelineOpener {
    PipelineModel<?> open(PipelineModel<?> rest, ComponentConfig config, RealSizeRun weights);
  }

  /** What is drawn: latents, of one picture. */
  InputConfig input(int side, int steps) {
    return InputConfig.builder()
        .seed(42)
        .height(side)
        .width(side)
        .numInferenceSteps(steps)
        .guidanceScale(guidance)
        .useResolutionBinning(false)
        .outputType(OutputType.LATENT)
        .build();
  }

  /**
   * Opens it.
   *
   * @param other numbers of the transformer that are others than the model's
   * @param setup where the tiny pipelines are
   */
  DiffusionPipeline open(RuntimeConfig runtime, Map<String, Integer> other, Setup setup)
      throws IOException {
    ModelConfig directory = ModelConfig.builder(setup.pipeline(tiny)).build();
    PipelineModel<?> rest = DiffusionPipeline.fromPretrained(directory, runtime).model();
    ElementType type = runtime.dtype();
    return DiffusionPipeline.of(
        opening.open(rest, transformer(other), device -> new RandomWeights(device, type, "")),
        type);
  }

  private ComponentConfig transformer(Map<String, Integer> other) throws IOException {
    ObjectMapper json = new ObjectMapper();
    ObjectNode transformer;
    try (InputStream in = RealSize.class.getResourceAsStream(settings)) {
      transformer = (ObjectNode) json.readTree(Objects.requireNonNull(in, settings));
    }
    other.forEach((name, value) -> transformer.replace(name, json.valueToTree(value)));
    if (transformer.has("cross_attention_dim")) { // as wide as the heads together
      int heads = transformer.get("num_attention_heads").asInt();
      transformer.put("cross_attention_dim", heads * transformer.get("attention_head_dim").asInt());
    }
    Path file = Files.createTempFile("gpu-check", ".json");
    try {
      json.writeValue(file.toFile(), transformer);
      return ComponentConfig.read(file);
    } finally {
      Files.delete(file);
    }
  }
}
