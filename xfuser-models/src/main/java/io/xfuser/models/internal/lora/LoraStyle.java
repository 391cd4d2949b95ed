package io.xfuser.models.internal.lora;

import java.util.Set;

/** Which program's names a LoRA has. */
public enum LoraStyle {
  /** {@code base_model.model.x.lora_A.weight}. */
  PEFT("peft"),
  /** {@code transformer.x.lora_A.weight}; ai-toolkit's too. */
  DIFFUSERS("diffusers"),
  /** {@code diffusion_model.x.lora_A.weight}. */
  COMFYUI("ComfyUI"),
  /** {@code lora_unet_x.lora_down.weight}. */
  KOHYA("Kohya"),
  /** {@code double_blocks.0.processor.qkv_lora1.down.weight}. */
  XLABS("XLabs"),
  /** {@code lokr_w1}, {@code hada_w1_a} or {@code dora_scale}, under anybody's names. */
  LYCORIS("LyCORIS"),
  /** {@code x.lora_down.weight}: names without a prefix, as Lightning's. */
  PLAIN("plain names");

  private final String title;

  LoraStyle(String title) {
    this.title = title;
  }

  public String title() {
    return title;
  }

  static LoraStyle of(Iterable<LoraModule> modules) {
    LoraStyle style = PLAIN;
    for (LoraModule module : modules) {
      if (module.isKronecker() || module.isHadamard() || module.has(LoraPart.DORA_SCALE)) {
        return LYCORIS;
      }
      style = style == PLAIN ? of(module.name()) : style;
    }
    return style;
  }

  private static LoraStyle of(String module) {
    if (module.contains(".processor.")) {
      return XLABS;
    } else if (Set.of("lora", "lycoris").contains(module.split("_", 2)[0])) {
      return KOHYA;
    } else if (module.startsWith("base_model.model.")) {
      return PEFT;
    } else if (module.contains("diffusion_model.") || module.startsWith("text_encoders.")) {
      return COMFYUI;
    }
    return module.startsWith("transformer.") || module.startsWith("text_encoder")
        ? DIFFUSERS
        : PLAIN;
  }
}
