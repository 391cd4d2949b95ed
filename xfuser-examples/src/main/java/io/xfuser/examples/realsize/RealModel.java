package io.xfuser.examples.realsize;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.xfuser.config.ModelConfig;
import io.xfuser.failure.ArgumentException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * A published model: its public configuration, and the files its weights are in.
 *
 * @param files settings by the path of their file
 * @param parts its components with weights
 * @param tokenizers the kind of tokenizer, by its folder
 * @param t5 the folder of its T5; null where it has none
 * @param prompts how many prompts are encoded for one picture
 * @param tokens the most that a prompt may have
 */
record RealModel(
    ObjectNode files,
    List<Part> parts,
    Map<String, String> tokenizers,
    @Nullable String t5,
    int prompts,
    int tokens) {
  private static final JsonMapper JSON = new JsonMapper();
  private static final String CONFIG = "/config.json";
  private static final String TRANSFORMER = "transformer";
  private static final String DIFFUSERS = "/diffusion_pytorch_model";
  private static final String T5 = "t5";
  private static final int CLIP = 32; // width of a narrow one
  private static final int GUIDED = 2; // prompts: the given one and the negative one

  /**
   * A component with weights.
   *
   * @param folder of the component
   * @param path of its file, without what says its type; one without a folder is never cut
   * @param type of its numbers
   * @param tensors by its settings
   */
  record Part(
      String folder, String path, StoredType type, Function<JsonNode, List<RandomTensor>> tensors) {
    /** Whether its file is for itself, as other programs than diffusers have it. */
    boolean single() {
      return !path.contains("/");
    }
  }

  /**
   * By the name that the script takes.
   *
   * @throws ArgumentException if there is none of that name
   */
  static RealModel of(String name) throws IOException {
    return switch (name) {
      case "pixart" -> pixArt();
      case "sd3_medium" -> sd3();
      case "flux_schnell" -> fluxSchnell();
      case "flux_dev" -> fluxDev();
      default ->
          throw new ArgumentException(
              "there is no model %s, only pixart, sd3_medium, flux_schnell and flux_dev"
                  .formatted(name));
    };
  }

  /** PixArt-Σ-XL, in fp32. */
  private static RealModel pixArt() throws IOException {
    ObjectNode files = read("realsize/pixart_sigma");
    files.set("text_encoder" + CONFIG, read("realsize/t5_xxl"));
    return new RealModel(
        files,
        List.of(
            new Part("text_encoder", "text_encoder/model", StoredType.F32, TextTensors::t5),
            new Part(
                TRANSFORMER, TRANSFORMER + DIFFUSERS, StoredType.F32, TransformerTensors::pixart),
            new Part("vae", "vae" + DIFFUSERS, StoredType.F32, VaeTensors::of)),
        Map.of("tokenizer", T5),
        "text_encoder",
        GUIDED,
        300);
  }

  /** Stable Diffusion 3 medium, in fp16. */
  private static RealModel sd3() throws IOException {
    ObjectNode files = read("realsize/sd3_medium");
    files.set("text_encoder" + CONFIG, read("realsize/clip_l"));
    files.set("text_encoder_2" + CONFIG, read("realsize/clip_g"));
    files.set("text_encoder_3" + CONFIG, read("realsize/t5_xxl"));
    return new RealModel(
        files,
        List.of(
            new Part("text_encoder", "text_encoder/model", StoredType.F16, TextTensors::clip),
            new Part("text_encoder_2", "text_encoder_2/model", StoredType.F16, TextTensors::clip),
            new Part("text_encoder_3", "text_encoder_3/model", StoredType.F16, TextTensors::t5),
            new Part(TRANSFORMER, TRANSFORMER + DIFFUSERS, StoredType.F16, TransformerTensors::sd3),
            new Part("vae", "vae" + DIFFUSERS, StoredType.F16, VaeTensors::of)),
        Map.of("tokenizer", "clip_l", "tokenizer_2", "clip_g", "tokenizer_3", T5),
        "text_encoder_3",
        GUIDED,
        256);
  }

  /** Flux.1-schnell: transformer and T5 in fp8, CLIP in fp16, the autoencoder in fp32. */
  private static RealModel fluxSchnell() throws IOException {
    ObjectNode files = read("realsize/flux_dev");
    ((ObjectNode) files.get(TRANSFORMER + CONFIG)).put("guidance_embeds", false);
    ((ObjectNode) files.get("scheduler/scheduler_config.json"))
        .put("shift", 1.0)
        .put("use_dynamic_shifting", false);
    ObjectNode clip = read("realsize/clip_l");
    files.set("text_encoder" + CONFIG, clip);
    files.set("text_encoder_2" + CONFIG, read("realsize/t5_xxl"));
    return new RealModel(
        files,
        List.of(
            new Part("text_encoder", "clip_l", StoredType.F16, TextTensors::clipAlone),
            new Part("text_encoder_2", "t5xxl_fp8_e4m3fn", StoredType.F8_E4M3, TextTensors::t5),
            new Part(
                TRANSFORMER, "flux1-schnell-fp8", StoredType.F8_E4M3, TransformerTensors::flux),
            new Part("vae", "ae", StoredType.F32, VaeTensors::original)),
        Map.of("tokenizer", "clip_l", "tokenizer_2", T5),
        "text_encoder_2",
        1,
        256);
  }

  /** Flux.1-dev, in bf16. */
  private static RealModel fluxDev() throws IOException {
    ObjectNode files = read("realsize/flux_dev");
    files.set("text_encoder" + CONFIG, read("realsize/clip_l"));
    files.set("text_encoder_2" + CONFIG, read("realsize/t5_xxl"));
    StoredType type = StoredType.BF16;
    return new RealModel(
        files,
        List.of(
            new Part("text_encoder", "text_encoder/model", type, TextTensors::clipAlone),
            new Part("text_encoder_2", "text_encoder_2/model", type, TextTensors::t5),
            new Part(
                TRANSFORMER, TRANSFORMER + DIFFUSERS, type, TransformerTensors::fluxOfDiffusers),
            new Part("vae", "vae" + DIFFUSERS, type, VaeTensors::of)),
        Map.of("tokenizer", "clip_l", "tokenizer_2", T5),
        "text_encoder_2",
        1,
        512);
  }

  private static ObjectNode read(String resource) throws IOException {
    String path = "/io/xfuser/examples/" + resource + ".json";
    try (InputStream in = RealModel.class.getResourceAsStream(path)) {
      return (ObjectNode) JSON.readTree(Objects.requireNonNull(in, path));
    }
  }

  /** What opens it in {@code folder}: a directory, or its transformer's file and the others. */
  ModelConfig.Builder in(Path folder) {
    Map<String, Path> places = new TreeMap<>();
    for (Part part : parts) {
      if (part.single()) {
        places.put(part.folder(), folder.resolve(part.path() + ".safetensors"));
      }
    }
    Path transformer = places.get(TRANSFORMER);
    if (transformer == null) {
      return ModelConfig.builder(folder);
    }
    tokenizers.keySet().forEach(name -> places.put(name, folder.resolve(name)));
    ModelConfig.Builder all = ModelConfig.builder(transformer);
    ModelConfig.PARTS.forEach(part -> all.set(part, places.get(part.name())));
    return all;
  }

  /** The settings of the component in {@code folder}. */
  ObjectNode config(String folder) {
    return (ObjectNode) files.get(folder + CONFIG);
  }

  /** The tensors of a component. */
  List<RandomTensor> tensors(Part part) {
    return part.tensors().apply(config(part.folder()));
  }

  /**
   * The same with only so many layers of its transformer; where that has single blocks, twice as
   * many of these, as all of Flux.1 has.
   */
  RealModel withLayers(int layers) {
    return withLayers(layers, part -> part.folder().equals(TRANSFORMER));
  }

  /** The same with only so many layers of its text encoders. */
  RealModel withTextLayers(int layers) {
    return withLayers(layers, part -> !part.folder().equals(TRANSFORMER));
  }

  private RealModel withLayers(int layers, Predicate<Part> chosen) {
    for (Part part : parts.stream().filter(chosen).toList()) {
      for (String name : List.of("num_layers", "num_single_layers", "num_hidden_layers")) {
        if (config(part.folder()).has(name)) {
          config(part.folder()).put(name, name.contains("single") ? 2 * layers : layers);
        }
      }
    }
    return this;
  }

  /** The same without its T5, if it can do without. */
  RealModel withoutT5() {
    if (t5 == null || !t5.equals("text_encoder_3")) {
      throw new ArgumentException("only sd3_medium can do without its T5");
    }
    ObjectNode index = (ObjectNode) files.get("model_index.json");
    Map<String, String> others = new TreeMap<>(tokenizers);
    for (String folder : List.of(t5, t5.replace("text_encoder", "tokenizer"))) {
      index.putArray(folder).addNull().addNull();
      others.remove(folder);
    }
    files.remove(t5 + CONFIG);
    List<Part> left = parts.stream().filter(part -> !part.folder().equals(t5)).toList();
    return new RealModel(files, left, others, null, prompts, tokens);
  }

  /** The same with few heads and channels, to try what is done with it. */
  RealModel narrowed() {
    int clips = 0;
    for (Part part : parts) {
      ObjectNode config = config(part.folder());
      narrow(config, "d_model", 64, "num_heads", 2, "d_ff", 96, "vocab_size", 2000);
      narrow(config, "hidden_size", CLIP, "intermediate_size", 48, "projection_dim", CLIP);
      narrow(config, "num_attention_heads", 2);
      clips += config.has("hidden_size") ? 1 : 0;
      if (config.has("block_out_channels")) {
        config.set("block_out_channels", JSON.valueToTree(List.of(32, 32, 64, 64)));
      }
    }
    ObjectNode config = config(TRANSFORMER);
    int width = 2 * config.get("attention_head_dim").asInt();
    narrow(config, "cross_attention_dim", width, "caption_projection_dim", width);
    narrow(config, "caption_channels", 64, "joint_attention_dim", 64);
    narrow(config, "pooled_projection_dim", clips * CLIP);
    return this;
  }

  private static void narrow(ObjectNode config, Object... values) {
    for (int i = 0; i < values.length; i += 2) {
      if (config.has((String) values[i])) {
        config.put((String) values[i], (int) values[i + 1]);
      }
    }
  }
}
