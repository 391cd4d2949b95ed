package io.xfuser.models.internal.lora;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Where a module of a LoRA is: the prefix of its name says which component, the rest which module
 * there.
 *
 * @param prefix as the file has it, without the dot or underscore at its end
 * @param components those that it may be in, the likeliest first
 * @param name the module's name in the component as the file has it
 */
record LoraAddress(String prefix, List<String> components, String name) {
  static final String TRANSFORMER = "transformer";
  private static final String SECOND = "transformer_2"; // by the names of the first
  private static final String ENCODER = "text_encoder";

  /** T5's names; which of a pipeline's text encoders it is depends on the pipeline. */
  private static final String T5 = "encoder_block_";

  private static final List<String> ENCODERS = List.of(ENCODER, "text_encoder_2", "text_encoder_3");
  private static final Map<String, List<String>> PREFIXES = prefixes();

  private static Map<String, List<String>> prefixes() {
    List<String> image = List.of(TRANSFORMER);
    List<String> first = List.of(ENCODER);
    List<String> second = List.of("text_encoder_2");
    List<String> third = List.of("text_encoder_3");
    Map<String, List<String>> all = new LinkedHashMap<>();
    for (String name :
        List.of(
            "base_model.model.transformer.",
            "base_model.model.diffusion_model.",
            "model.diffusion_model.",
            "diffusion_model.",
            "transformer.",
            "pipe.dit.",
            "unet.",
            "lora_unet_",
            "lora_transformer_",
            "lycoris_")) {
      all.put(name, image);
    }
    for (String name : List.of("text_encoder.", "lora_te_", "lora_te1_", clip("clip_l"))) {
      all.put(name, first);
    }
    for (String name : List.of("text_encoder_2.", "lora_te2_", clip("clip_g"))) {
      all.put(name, second);
    }
    for (String name : List.of("text_encoder_3.", "lora_te3_", clip("t5xxl"))) {
      all.put(name, third);
    }
    List<String> either = List.of(TRANSFORMER, ENCODER);
    all.put("base_model.model.", either);
    all.put("", either);
    return all;
  }

  private static String clip(String name) {
    return "text_encoders." + name + ".transformer.";
  }

  /** That of a module as the file names it. */
  static LoraAddress of(String module) {
    for (Map.Entry<String, List<String>> entry : PREFIXES.entrySet()) {
      String prefix = entry.getKey();
      if (module.startsWith(prefix)) {
        String name = module.substring(prefix.length());
        List<String> components = entry.getValue();
        boolean t5 = !components.equals(List.of(TRANSFORMER)) && plain(name).startsWith(T5);
        return new LoraAddress(prefix.replaceFirst("[._]$", ""), t5 ? ENCODERS : components, name);
      }
    }
    throw new IllegalStateException("the empty prefix fits " + module);
  }

  /** Whether it can be in {@code component}. */
  boolean mayBeOf(String component) {
    return components.contains(component.equals(SECOND) ? TRANSFORMER : component);
  }

  /**
   * A name in which dots and underscores are the same. Some programs leave one at its end, and
   * VideoX-Fun one at its beginning ({@code lora_unet__blocks_0_ffn_0}).
   */
  String path() {
    return plain(name).replaceAll("^_+|_+$", "");
  }

  /** A name in which dots and underscores are the same. */
  static String plain(String name) {
    return name.replace('.', '_');
  }
}
