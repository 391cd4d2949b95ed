package io.xfuser.models.internal.files;

import io.xfuser.models.internal.weights.Checkpoint;
import io.xfuser.models.internal.weights.Checkpoint.Found;
import io.xfuser.models.internal.weights.Tensors;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * Names what a file is that no model here is made of. Source of the keys: diffusers 0.36 {@code
 * loaders/single_file_utils.py} ({@code CHECKPOINT_KEY_NAMES}).
 */
public final class Unsupported {
  /** What begins a name in a file that has other components too. */
  private static final String PREFIX = "(model\\.diffusion_model\\.|diffusion_model\\.|net\\.)?";

  /** What a LoRA is called. */
  static final String LORA = "a LoRA";

  private static final Map<String, String> BY_NAME = new LinkedHashMap<>();

  static {
    BY_NAME.put("a file of Nunchaku's weights of 4 bits", ".*\\.wscales");
    BY_NAME.put(
        LORA,
        ".*(\\.lora_[AB]\\..*|[._]lora_(up|down|A|B)(\\.weight)?|lora_unet_.*|.*_lora.*"
            + "|.*\\.(lokr_w[12].*|hada_w[12]_.*|dora_scale))");
    BY_NAME.put("a Chroma Radiance transformer", PREFIX + "nerf_blocks\\..*");
    BY_NAME.put(
        "a Lumina 2 transformer", PREFIX + "(cap_embedder\\.0|noise_refiner\\.0.*)\\.weight");
    BY_NAME.put(
        "a Wan transformer that sees more than a text and pictures",
        PREFIX
            + "(vace_blocks|vace_patch_embedding|casual_audio_encoder|audio_injector|audio_proj"
            + "|face_adapter|motion_encoder|pose_patch_embedding|control_adapter|ref_conv)\\..*");
    BY_NAME.put(
        "a Wan transformer",
        PREFIX + "(head\\.modulation|blocks\\.0\\.modulation|patch_embedding\\.weight)");
    BY_NAME.put("a Hunyuan video transformer", PREFIX + "txt_in\\.individual_token_refiner\\..*");
    BY_NAME.put("an LTX transformer", PREFIX + "patchify_proj\\.weight");
    BY_NAME.put("an AuraFlow transformer", PREFIX + "double_layers\\.0\\.attn\\.w1q\\.weight");
    BY_NAME.put("a SANA transformer", PREFIX + "blocks\\.0\\.cross_attn\\.q_linear\\.weight");
    BY_NAME.put("a Mochi transformer", PREFIX + "blocks\\.0\\.attn\\.qkv_x\\.weight");
    BY_NAME.put(
        "a HiDream transformer",
        PREFIX + "double_stream_blocks\\.0\\.block\\.adaLN_modulation\\..*");
    BY_NAME.put(
        "a Stable Diffusion XL model",
        "conditioner\\.embedders\\.1\\..*|(model\\.diffusion_model\\.)?label_emb\\.0\\.0\\.weight");
    BY_NAME.put(
        "a Stable Diffusion 1 or 2 model",
        "(model\\.diffusion_model\\.)?input_blocks\\.0\\.0\\.weight");
    BY_NAME.put(
        "a Stable Diffusion XL or 1 U-Net", "down_blocks\\.0\\.resnets\\.0\\.conv1\\.weight");
    BY_NAME.put(
        "a ControlNet",
        PREFIX + "(control_model|controlnet_.*|control_layers|control_all_x_embedder)\\..*");
    BY_NAME.put(
        "an IP-Adapter, which is taken as ip_adapter",
        "(ip_adapter_proj_model|image_proj)\\.(proj|proj_in)\\.weight");
    BY_NAME.put("a Flux Redux adapter", "redux_up\\.weight");
    BY_NAME.put(
        "a tiny autoencoder, which is taken as a folder with its config.json",
        "(encoder|decoder)\\.layers\\.\\d+\\..*");
    BY_NAME.put(
        "a language model",
        "(model\\.(language_model\\.)?layers\\.0|blk\\.0)\\..*(q_proj|attn_q)\\.weight");
    BY_NAME.put(
        "a CLIP of OpenCLIP's names",
        "(.*\\.)?transformer\\.resblocks\\.0\\.attn\\.in_proj_weight");
  }

  private Unsupported() {}

  static String described(Path file, List<Found> found) {
    return described(Checkpoint.read(file), found);
  }

  /** What {@code checkpoint} is: what was {@code found}, else what its names show. */
  public static String described(Checkpoint checkpoint, List<Found> found) {
    if (!found.isEmpty()) {
      return found.stream()
          .map(component -> component.format().title())
          .distinct()
          .collect(Collectors.joining(" and "));
    }
    Tensors tensors = checkpoint.tensors();
    return BY_NAME.entrySet().stream()
        .filter(kind -> tensors.any(kind.getValue()))
        .findFirst()
        .map(Map.Entry::getKey)
        .orElseGet(() -> "a file of " + tensors.names().size() + " tensors of an unknown kind");
  }
}
