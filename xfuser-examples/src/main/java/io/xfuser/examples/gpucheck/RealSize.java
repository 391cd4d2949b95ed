package io.xfuser.examples.gpucheck;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.xfuser.config.InputConfig;
import io.xfuser.config.ModelConfig;
import io.xfuser.config.OutputType;
import io.xfuser.config.RuntimeConfig;
import io.xfuser.internal.weights.SafeTensorsWriter;
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
 * @param settings the resource with the files of its directory
 * @param steps denoising steps
 * @param guidance its guidance scale
 * @param opening makes the pipeline of its directory
 * @param text its text embeddings for one picture
 */
record RealSize(
    String title,
    String settings,
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
  private static final Map<String, Integer> SMALL =
      Map.of("num_layers", 2, "num_single_layers", 2, "num_attention_heads", 2);

  private static final int SMALL_HEADS = 2;

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
   * @param folder an empty one for its directory
   * @param small whether to leave out most blocks and heads
   */
  DiffusionPipeline open(Path folder, RuntimeConfig runtime, boolean small) throws IOException {
    write(folder, small);
    PipelineModel<?> rest =
        DiffusionPipeline.fromPretrained(ModelConfig.builder(folder).build(), runtime).model();
    ComponentConfig config = ComponentConfig.read(folder.resolve("transformer/config.json"));
    ElementType type = runtime.dtype();
    return DiffusionPipeline.of(
        opening.open(rest, config, device -> new RandomWeights(device, type, "")), type);
  }

  private void write(Path folder, boolean small) throws IOException {
    ObjectMapper json = new ObjectMapper();
    JsonNode files;
    try (InputStream in = RealSize.class.getResourceAsStream(settings)) {
      files = json.readTree(Objects.requireNonNull(in, settings));
    }
    for (String component : (Iterable<String>) files.get("model_index.json")::fieldNames) {
      if (!component.startsWith("_")) {
        Files.createDirectories(folder.resolve(component));
      }
    }
    if (small) {
      ObjectNode transformer = (ObjectNode) files.get("transformer/config.json");
      SMALL.forEach((name, value) -> transformer.replace(name, json.valueToTree(value)));
      if (transformer.has("cross_attention_dim")) {
        int head = transformer.get("attention_head_dim").asInt();
        transformer.put("cross_attention_dim", SMALL_HEADS * head);
      }
    }
    for (Map.Entry<String, JsonNode> file : files.properties()) {
      json.writeValue(folder.resolve(file.getKey()).toFile(), file.getValue());
    }
    // none of the weights is read
    SafeTensorsWriter.write(
        folder.resolve("transformer/diffusion_pytorch_model.safetensors"), Map.of());
  }
}
