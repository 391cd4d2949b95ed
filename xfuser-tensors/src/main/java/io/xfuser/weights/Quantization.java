package io.xfuser.weights;

import io.xfuser.failure.ModelException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * Recognises quantized weights that no model here computes with: by the settings that diffusers'
 * and transformers' quantizers write, and by the tensors that lie beside a quantized one.
 */
final class Quantization {
  /** Where quantizers write their settings, the older name last. */
  private static final List<String> SETTINGS = List.of("quantization_config", "compression_config");

  /** What tells the kinds of a method apart. */
  private static final List<String> KINDS =
      List.of("weights_dtype", "weights", "quant_type", "bits", "fmt", "format");

  private static final String BITSANDBYTES = "bitsandbytes";

  /** How most tensors end; none beside a quantized one does. */
  private static final Pattern USUAL = Pattern.compile("\\.(weight|bias)$");

  /** The endings of tensors beside a quantized one, by method. */
  private static final Map<String, Pattern> BESIDE = new LinkedHashMap<>();

  static {
    BESIDE.put(BITSANDBYTES + " nf4", Pattern.compile(".*\\.quant_state\\.bitsandbytes__nf4"));
    BESIDE.put(BITSANDBYTES + " fp4", Pattern.compile(".*\\.quant_state\\.bitsandbytes__fp4"));
    BESIDE.put(BITSANDBYTES + " 4-bit", Pattern.compile(".*\\.(absmax|quant_map|nested_absmax)"));
    BESIDE.put(BITSANDBYTES + " int8", Pattern.compile(".*\\.SCB"));
    BESIDE.put("quanto", Pattern.compile(".*\\.weight\\._(data|scale|shift).*"));
    BESIDE.put(
        "torchao", Pattern.compile(".*\\.weight[:.](_?int_data|_?qdata|tensor_impl.*|_scale)"));
    BESIDE.put("SVDQuant", Pattern.compile(".*\\.wscales"));
    BESIDE.put("GPTQ or AWQ", Pattern.compile(".*\\.(qweight|qzeros|g_idx)"));
    BESIDE.put("HQQ", Pattern.compile(".*\\.W_q"));
    BESIDE.put("compressed-tensors", Pattern.compile(".*\\.weight_(packed|zero_point)"));
    BESIDE.put("NVFP4", Pattern.compile(".*\\.weight_scale_2"));
    BESIDE.put("fp8 with inverse scales", Pattern.compile(".*\\.weight_scale_inv"));
  }

  private Quantization() {}

  /**
   * Refuses settings of quantized weights.
   *
   * @throws ModelException naming the quantization
   */
  static void refuse(ComponentConfig config) {
    for (String name : SETTINGS) {
      if (config.has(name)) {
        throw new ModelException(
            "%s: %s says that the weights are quantized (%s), which is not supported: take the model"
                    .formatted(config.origin(), name, described(config, name))
                + " with its original weights");
      }
    }
  }

  private static String described(ComponentConfig config, String name) {
    ComponentConfig settings = config.section(name).orElse(config);
    List<String> words = new ArrayList<>();
    if (settings.has("quant_method")) {
      words.add(settings.plain("quant_method"));
    } else if (settings.has("load_in_8bit") || settings.has("load_in_4bit")) {
      words.add(BITSANDBYTES);
    }
    if (isTrue(settings, "load_in_8bit")) {
      words.add("int8");
    }
    if (isTrue(settings, "load_in_4bit")) {
      words.add(
          settings.has("bnb_4bit_quant_type") ? settings.plain("bnb_4bit_quant_type") : "fp4");
    }
    KINDS.stream().filter(settings::has).map(settings::plain).forEach(words::add);
    return words.isEmpty() ? "in an unknown way" : String.join(" ", words);
  }

  private static boolean isTrue(ComponentConfig settings, String name) {
    return settings.text(name).equals("true");
  }

  /** How the weights among the tensors {@code names} are quantized, if their neighbours show it. */
  static Optional<String> beside(Collection<String> names) {
    List<String> unusual = names.stream().filter(name -> !USUAL.matcher(name).find()).toList();
    return BESIDE.entrySet().stream()
        .filter(method -> unusual.stream().anyMatch(n -> method.getValue().matcher(n).matches()))
        .map(Map.Entry::getKey)
        .findFirst();
  }

  /** Says in brackets how {@code names} are quantized, nothing where they do not seem to be. */
  static String hint(Collection<String> names) {
    return beside(names)
        .map(": the weights are quantized (%s), which is not supported"::formatted)
        .orElse("");
  }
}
