package io.xfuser.config;

import io.xfuser.failure.ArgumentException;
import io.xfuser.internal.weights.AdapterSource;
import io.xfuser.internal.weights.LoraSource;
import io.xfuser.torchscript.ElementType;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;

/** The settings of a model; {@link ModelConfig} has their values. */
abstract sealed class ModelSettings extends Settings permits ModelConfig {
  private static final String KEEP = "keep";
  private static final String WIDEN = "widen";

  public static final Setting<Path> DOWNLOAD_DIR =
      Setting.of(
              "download_dir",
              Kind.path(),
              "DIR",
              "Where downloaded models are kept, in the layout of huggingface_hub's cache")
          .open("that cache");

  public static final Setting<String> VARIANT =
      Setting.of("variant", Kind.name(), "NAME", "Weight files with this infix, fp16 for example");

  public static final Setting<Boolean> WEIGHTS_DTYPE =
      Setting.of(
              "weights_dtype",
              Kind.parsed(Boolean.class, ModelSettings::keeps, keep -> keep ? KEEP : WIDEN),
              "HOW",
              "widen: weights of other types than dtype are widened once, when they are loaded;"
                  + " keep: they stay as the files have them, mapped, and are widened each time"
                  + " they are used, layer by layer, or a few MiB at a time where files have"
                  + " fp32, fp16 or bf16; for less memory and more time")
          .open(
              "widen, but text encoders, and transformers of 1 GiB or more in the run's type, keep"
                  + " fp32, fp16 and bf16 where the CPU multiplies in fp32");

  public static final Setting<ElementType> QUANTIZE =
      Setting.of(
          "quantize",
          quantized(),
          "TYPE",
          "int8: transformer and text encoders have linear layers of 8 bits, a quarter of the"
              + " memory and less exact; on the CPU");

  public static final Setting<ElementType> QUANTIZE_TEXT_ENCODER =
      Setting.of("quantize_text_encoder", quantized(), "TYPE", "int8: the text encoders alone do");

  public static final Setting<List<String>> LORA =
      Setting.of(
          "lora",
          Kind.listOf(Kind.checked(LoraSource::check)),
          "FILE[:SCALE]",
          "LoRAs that are added to the weights in this order: files, folders, or names on the"
              + " Hugging Face hub, ORG/NAME or ORG/NAME/FILE, each with what of it is added;"
              + " transformer_2=FILE[:SCALE] for the second transformer of a model with two");

  public static final Setting<Boolean> LORA_IGNORE_UNKNOWN =
      Setting.off("lora_ignore_unknown", "Leave out what of a LoRA fits nothing in the model");

  public static final Setting<Boolean> DYNAMIC_LORA =
      Setting.off(
          "dynamic_lora",
          "Let each request choose its LoRAs; the first with other ones than before reads the"
              + " weights again");

  public static final Setting<Integer> LORA_CACHE =
      Setting.of(
              "lora_cache",
              Kind.whole(1),
              "N",
              "With dynamic_lora: for so many choices of LoRAs, none being one, weights are kept")
          .or(2);

  public static final Setting<List<String>> IP_ADAPTER =
      Setting.of(
          "ip_adapter",
          Kind.listOf(Kind.checked(AdapterSource::check)),
          "FILE[:SCALE]",
          "IP-Adapters, by which pictures are prompts: files, folders, or names on the Hugging Face"
              + " hub, ORG/NAME or ORG/NAME/FILE, each with how much it counts, or a list of that"
              + " with commas, one for each block");

  public static final Setting<Integer> TEXT_CACHE =
      Setting.of(
              "text_cache",
              Kind.whole(0),
              "MB",
              "So much of encoded prompts is kept, above all of negative ones, which are not"
                  + " encoded again; 0 keeps nothing")
          .or(64);

  public static final Setting<Path> CACHE_CALIBRATION =
      Setting.of(
              "cache_calibration",
              Kind.path(),
              "FILE",
              "What cache teacache and magcache know of the model, as scripts/quality/calibrate"
                  + " writes it")
          .open("what is published for the model");

  public static final Setting<Path> TRANSFORMER_2 =
      part("transformer_2", "The transformer of the steps with less noise, where there are two");

  public static final Setting<Path> VAE = part("vae", "The autoencoder");
  public static final Setting<Path> IMAGE_ENCODER =
      part(
          "image_encoder",
          "What encodes pictures that a video begins with, or that are prompts by an ip_adapter");

  public static final Setting<Path> TEXT_ENCODER = part("text_encoder", "The text encoder");
  public static final Setting<Path> TEXT_ENCODER_2 = part("text_encoder_2", "The second one");
  public static final Setting<Path> TEXT_ENCODER_3 = part("text_encoder_3", "The third one");
  public static final Setting<Path> TOKENIZER = part("tokenizer", "The text encoder's tokenizer");
  public static final Setting<Path> TOKENIZER_2 = part("tokenizer_2", "The second one's");
  public static final Setting<Path> TOKENIZER_3 = part("tokenizer_3", "The third one's");

  /** Components that may be given beside a model, each by its own name. */
  public static final List<Setting<Path>> PARTS =
      List.of(
          TRANSFORMER_2,
          VAE,
          IMAGE_ENCODER,
          TEXT_ENCODER,
          TEXT_ENCODER_2,
          TEXT_ENCODER_3,
          TOKENIZER,
          TOKENIZER_2,
          TOKENIZER_3);

  public static final List<Setting<?>> SETTINGS =
      Stream.of(
              List.of(DOWNLOAD_DIR, VARIANT, WEIGHTS_DTYPE),
              PARTS,
              List.of(
                  QUANTIZE,
                  QUANTIZE_TEXT_ENCODER,
                  LORA,
                  LORA_IGNORE_UNKNOWN,
                  DYNAMIC_LORA,
                  LORA_CACHE,
                  IP_ADAPTER,
                  TEXT_CACHE,
                  CACHE_CALIBRATION))
          .<Setting<?>>flatMap(List::stream)
          .toList();

  ModelSettings(ModelConfig.Builder builder) {
    super(builder);
  }

  /** The IP-Adapters, each as {@code PLACE}, {@code PLACE:SCALE} or {@code PLACE:SCALE,…}. */
  public final List<String> ipAdapters() {
    return Objects.requireNonNullElse(get(IP_ADAPTER), List.of());
  }

  private static boolean keeps(String text) {
    if (!text.equals(KEEP) && !text.equals(WIDEN)) {
      throw new Kind.Wrong(WIDEN + " or " + KEEP, text);
    }
    return text.equals(KEEP);
  }

  private static Setting<Path> part(String name, String what) {
    return Setting.of(
        name,
        Kind.path(),
        "PATH",
        what
            + (name.startsWith("tokenizer") ? ": a folder" : ": a file or a folder")
            + ", in the place of the model's own");
  }

  private static Kind<ElementType> quantized() {
    return Kind.parsed(
        ElementType.class,
        text -> {
          if (!text.equals(ElementType.INT8.torchName())) {
            throw new Kind.Wrong(ElementType.INT8.torchName(), text);
          }
          return ElementType.INT8;
        },
        ElementType::torchName);
  }

  @Override
  public List<Setting<?>> settings() {
    return SETTINGS;
  }

  /**
   * Refuses what only the CPU has.
   *
   * @throws ArgumentException if weights are to be quantized and {@code gpu}
   */
  public void requireDevice(boolean gpu) {
    for (Setting<ElementType> setting : List.of(QUANTIZE, QUANTIZE_TEXT_ENCODER)) {
      if (gpu && get(setting) != null) {
        throw new ArgumentException(
            setting.with(ElementType.INT8) + " cannot be had on a GPU: take device cpu");
      }
    }
  }
}
