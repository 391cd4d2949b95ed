package io.xfuser.internal.report;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.config.ModelConfig;
import io.xfuser.config.Picture;
import io.xfuser.config.Setting;
import io.xfuser.internal.weights.Lora;
import io.xfuser.model.GenerationRequest;
import io.xfuser.model.SourcePictures;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;

/** How pictures were made, for the files that they are written to. */
public final class Provenance {
  private static final JsonMapper JSON = new JsonMapper();

  /** What is told under other names, or of other values than were given. */
  private static final Set<Setting<?>> TOLD =
      Set.of(
          InputConfig.PROMPT,
          InputConfig.NEGATIVE_PROMPT,
          InputConfig.CLASS_LABELS,
          InputConfig.SEED,
          InputConfig.SEEDS,
          InputConfig.NUM_IMAGES_PER_PROMPT,
          InputConfig.IMAGE,
          InputConfig.MASK_IMAGE,
          InputConfig.LAST_IMAGE,
          InputConfig.IP_ADAPTER_IMAGE,
          InputConfig.NEGATIVE_IP_ADAPTER_IMAGE,
          InputConfig.PARTIAL_IMAGES,
          InputConfig.PREVIEW_EVERY,
          InputConfig.LORA);

  /** Of each prompt one. */
  private static final List<Setting<List<String>>> TEXTS =
      List.of(
          InputConfig.PROMPT_2,
          InputConfig.PROMPT_3,
          InputConfig.NEGATIVE_PROMPT_2,
          InputConfig.NEGATIVE_PROMPT_3);

  private final Made made;
  private final EngineConfig engine;
  private final GenerationRequest request;
  private final List<Lora> loras;

  /**
   * What made it.
   *
   * @param model its short name
   * @param sampler the scheduler's name
   * @param layout of the ranks that took its steps; several, where it went from one to another
   */
  public record Made(String model, String sampler, String layout) {}

  /**
   * Of a request.
   *
   * @param loras what was added to the model's weights
   */
  public Provenance(Made made, EngineConfig engine, GenerationRequest request, List<Lora> loras) {
    this.made = made;
    this.engine = engine;
    this.request = request;
    this.loras = loras;
  }

  /**
   * Texts by keyword: {@code parameters} as AUTOMATIC1111's web UI writes and many programs read
   * it, {@code xfuser} with all of it as JSON, and PNG's own {@code Software}.
   *
   * @param image its number within the request
   */
  public Map<String, String> of(int image) {
    Map<String, String> texts = new LinkedHashMap<>();
    texts.put("parameters", parameters(image));
    texts.put("xfuser", json(image));
    texts.put("Software", software());
    return texts;
  }

  private String parameters(int image) {
    String negative = negativePrompt(image);
    GenerationRequest.Size size = request.output();
    return prompt(image)
        + (negative.isEmpty() ? "" : "\nNegative prompt: " + negative)
        + "\nSteps: %d, Sampler: %s, CFG scale: %s, Seed: %s, Size: %dx%d, Model: %s%s%s, Version: %s"
            .formatted(
                request.scheduler().steps(),
                made.sampler(),
                guidance(),
                seed(image),
                size.width(),
                size.height(),
                modelName(),
                strength(),
                loraTitles(),
                software());
  }

  private String strength() {
    return request.input().has(InputConfig.STRENGTH)
        ? ", Denoising strength: " + InputConfig.STRENGTH.textIn(request.input())
        : "";
  }

  private String json(int image) {
    ObjectNode json = JSON.createObjectNode();
    json.put("prompt", prompt(image));
    json.put("negative_prompt", negativePrompt(image));
    boolean alone = !request.input().seeds().isEmpty(); // the noise of a request of its own
    json.put("seed", seed(image));
    json.put("image", alone ? 0 : image).put("images", alone ? 1 : request.images());
    json.put("num_inference_steps", request.scheduler().steps()).put("scheduler", made.sampler());
    json.put("guidance_scale", guidance());
    json.put("height", request.output().height()).put("width", request.output().width());
    json.put("generated_height", request.size().height());
    json.put("generated_width", request.size().width());
    putPictures(json);
    json.put("num_frames", request.latents().pixelFrames());
    json.put("pipeline", made.model()).put("model", modelName());
    json.put("dtype", engine.runtime().dtype().torchName());
    putModel(json);
    json.put("layout", made.layout());
    json.put("warmup_steps", engine.runtime().warmupSteps()).put("version", software());
    putGiven(json, image);
    if (!loras.isEmpty()) {
      ArrayNode added = json.putArray("loras");
      loras.forEach(
          lora -> {
            ObjectNode one = added.addObject().put("name", lora.name()).put("scale", lora.scale());
            if (lora.second()) {
              one.put("component", "transformer_2");
            }
          });
    }
    try {
      return JSON.writeValueAsString(json);
    } catch (com.fasterxml.jackson.core.JsonProcessingException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** How the model's weights were read, and which parts of it are not its own. */
  private void putModel(ObjectNode json) {
    ModelConfig given = engine.model();
    for (Setting<?> setting : List.of(ModelConfig.QUANTIZE, ModelConfig.QUANTIZE_TEXT_ENCODER)) {
      if (given.has(setting)) {
        json.put(setting.name(), setting.textIn(given));
      }
    }
    if (!given.ipAdapters().isEmpty()) {
      ArrayNode adapters = json.putArray(ModelConfig.IP_ADAPTER.name());
      given.ipAdapters().forEach(place -> adapters.add(place.replaceFirst(".*[/\\\\]", "")));
    }
    for (Setting<Path> part : ModelConfig.PARTS) {
      Path place = given.get(part);
      if (place != null) {
        json.put(part.name(), fileName(place));
      }
    }
  }

  /** What else the request was given. */
  private void putGiven(ObjectNode json, int image) {
    InputConfig input = request.input();
    for (Setting<?> setting : input.settings()) {
      if (input.has(setting) && !TOLD.contains(setting) && !json.has(setting.name())) {
        json.put(setting.name(), setting.textIn(input));
      }
    }
    for (Setting<List<String>> texts : TEXTS) {
      if (input.has(texts)) {
        json.put(texts.name(), of(Objects.requireNonNull(input.get(texts)), image));
      }
    }
  }

  /** In quotes, as that program does with what has commas or colons. */
  private String loraTitles() {
    return loras.isEmpty()
        ? ""
        : loras.stream().map(Lora::title).collect(Collectors.joining(", ", ", Lora: \"", "\""));
  }

  /** Names of files alone: the path says who the user is. */
  private void putPictures(ObjectNode json) {
    for (Setting<List<Picture>> shown :
        List.of(InputConfig.IP_ADAPTER_IMAGE, InputConfig.NEGATIVE_IP_ADAPTER_IMAGE)) {
      if (request.input().has(shown)) {
        ArrayNode names = json.putArray(shown.name());
        request.input().listed(shown).forEach(picture -> names.add(picture.name()));
      }
    }
    SourcePictures pictures = request.pictures();
    if (pictures != null) {
      Picture image = Objects.requireNonNull(request.input().image());
      Picture mask = request.input().maskImage();
      json.put("source_image", image.name()).put("first_step", request.scheduler().begin());
      json.put("mask_image", mask == null ? null : mask.name());
      Picture last = request.input().get(InputConfig.LAST_IMAGE);
      if (last != null) {
        json.put("last_image", last.name());
      }
      json.put("padding_mask_crop", request.input().paddingMaskCrop());
    }
  }

  private String prompt(int image) {
    List<String> prompts = request.input().prompts();
    if (prompts.isEmpty()) {
      prompts = request.input().classLabels().stream().map(String::valueOf).toList();
    }
    return of(prompts, image);
  }

  private String negativePrompt(int image) {
    return of(request.input().negativePrompts(), image);
  }

  /** That of an image's prompt, of which there are several pictures one after another. */
  private String of(List<String> texts, int image) {
    int prompt = image / request.input().numImagesPerPrompt();
    return texts.isEmpty() ? "" : texts.get(Math.min(prompt, texts.size() - 1));
  }

  /** What distilled models are told of guidance is theirs. */
  private double guidance() {
    double condition = request.guidance().condition();
    return condition == 0 ? request.guidance().scale() : condition;
  }

  private String seed(int image) {
    List<Long> seeds = request.input().seeds();
    return String.valueOf(seeds.isEmpty() ? request.input().seed() : seeds.get(image));
  }

  /** The name on the hub, or that of the directory alone: the path says who the user is. */
  private String modelName() {
    ModelConfig model = engine.model();
    return model
        .directory()
        .map(Provenance::fileName)
        .orElseGet(() -> model.name().orElseThrow().toString());
  }

  private static String fileName(Path place) {
    return String.valueOf(place.toAbsolutePath().normalize().getFileName());
  }

  /** Name and version of this library; classes that are in no jar have no version. */
  private static String software() {
    String version = Provenance.class.getPackage().getImplementationVersion();
    return version == null ? "xfuser" : "xfuser " + version;
  }
}
