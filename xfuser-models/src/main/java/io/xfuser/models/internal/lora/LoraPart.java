package io.xfuser.models.internal.lora;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What a tensor of a LoRA is to the module that it changes: how the name of the one ends after that
 * of the other, in any program's style. Sources: peft {@code save_and_load.py}, diffusers {@code
 * state_dict_utils.py} and {@code lora_conversion_utils.py}, kohya-ss/sd-scripts {@code
 * networks/lora_flux.py}, KohakuBlueleaf/LyCORIS {@code modules}.
 */
enum LoraPart {
  /** A (rank, in). */
  DOWN("(?:\\.lora_A|\\.lora_down|[._]lora\\.down|\\.lora_linear_layer\\.down" + xlabs("down")),

  /** B (out, rank). */
  UP("(?:\\.lora_B|\\.lora_up|[._]lora\\.up|\\.lora_linear_layer\\.up" + xlabs("up")),

  /** What is added to the bias (out). */
  UP_BIAS("\\.lora_(?:B|up)(?:\\.[^.]+)?\\.bias"),

  /** One number, by which all is scaled after it was divided by the rank. */
  ALPHA("(?:\\.lora_A|\\.lora_down|[._]lora|\\.lora_linear_layer)?\\.alpha"),

  /** DoRA's norms (out) as peft has them. */
  MAGNITUDE("\\.lora_magnitude_vector(?:\\.[^.]+)?(?:\\.weight)?"),

  /** DoRA's norms (out, 1) or (1, in) as LyCORIS has them. */
  DORA_SCALE("\\.dora_scale"),

  /** What is added to the weight as it is. */
  DIFF("\\.(?:diff|w_norm)"),

  /** What is added to the bias as it is. */
  DIFF_BIAS("\\.(?:diff_b|b_norm)"),

  KRONECKER_1("\\.lokr_w1"),
  KRONECKER_1_UP("\\.lokr_w1_a"),
  KRONECKER_1_DOWN("\\.lokr_w1_b"),
  KRONECKER_2("\\.lokr_w2"),
  KRONECKER_2_UP("\\.lokr_w2_a"),
  KRONECKER_2_DOWN("\\.lokr_w2_b"),
  HADAMARD_1_UP("\\.hada_w1_a"),
  HADAMARD_1_DOWN("\\.hada_w1_b"),
  HADAMARD_2_UP("\\.hada_w2_a"),
  HADAMARD_2_DOWN("\\.hada_w2_b"),

  /** Without it the rest would mean something else. */
  NOT_SUPPORTED("\\.(?:lora_mid\\.weight|lokr_t[12]|hada_t[12]|rescale)");

  /** Lightx2v's name of what is added to Wan's {@code modulation} as it is, which is no layer. */
  private static final String TABLE = ".diff_m";

  private final Pattern pattern;

  LoraPart(String ending) {
    this.pattern = Pattern.compile("(.+?)" + ending);
  }

  /** XLabs' processors, {@code qkv_lora1.down.weight}; and the adapter's name that may follow. */
  private static String xlabs(String direction) {
    return "|(?<=_lora[12])\\." + direction + ")(?:\\.[^.]+)?\\.weight";
  }

  /**
   * A name taken apart.
   *
   * @param module what is changed, as the file names it
   * @param part what the tensor is to it
   */
  record Named(String module, LoraPart part) {}

  /** {@code key} taken apart; nothing if it is no part of a LoRA. */
  static Optional<Named> of(String key) {
    if (key.endsWith(TABLE)) {
      String owner = key.substring(0, key.length() - TABLE.length());
      return Optional.of(new Named(owner + ".modulation", DIFF));
    }
    for (LoraPart part : values()) {
      Matcher matcher = part.pattern.matcher(key);
      if (matcher.matches()) {
        return Optional.of(new Named(matcher.group(1), part));
      }
    }
    return Optional.empty();
  }
}
