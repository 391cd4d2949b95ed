package io.xfuser.models.internal.zimage;

import io.xfuser.models.internal.files.ModelFormat;
import io.xfuser.models.internal.weights.Tensors;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * Z-Image in a file of its authors' names, as ComfyUI has it, or of diffusers'. Source: diffusers
 * 0.36 {@code loaders/single_file_utils.py} ({@code
 * convert_z_image_transformer_checkpoint_to_diffusers}).
 */
public final class ZImageCheckpoint implements ModelFormat {
  private static final Pattern BASE = Pattern.compile("(?i)z[-_]image(?!.*turbo)");

  private static final String BLOCK = "((?:noise_refiner|context_refiner|layers)\\.\\d+)\\.";
  private static final String ATTENTION = "$1.attention.";
  private static final String EMBEDDER = "all_x_embedder.2-1.weight";
  private static final String NORM = "layers.0.attention.norm_q.weight";

  @Override
  public String title() {
    return "a Z-Image transformer";
  }

  @Override
  public boolean fits(Tensors tensors) {
    return tensors.has("cap_pad_token") // Lumina 2, whose names are the same else, has none
        && (isOriginal(tensors) || tensors.has(EMBEDDER));
  }

  private static boolean isOriginal(Tensors tensors) {
    return tensors.has("noise_refiner.0.attention.qkv.weight");
  }

  @Override
  public Tensors canonical(Tensors tensors) {
    return isOriginal(tensors)
        ? new Tensors.Renaming(tensors)
            .rule("x_embedder\\.(.*)", "all_x_embedder.2-1.$1")
            .rule("final_layer\\.(.*)", "all_final_layer.2-1.$1")
            .rule(
                BLOCK + "attention\\.qkv\\.(.*)",
                ATTENTION + "to_q.$2",
                ATTENTION + "to_k.$2",
                ATTENTION + "to_v.$2")
            .rule(BLOCK + "attention\\.out\\.(.*)", ATTENTION + "to_out.0.$2")
            .rule(BLOCK + "attention\\.([qk])_norm\\.(.*)", ATTENTION + "norm_$2.$3")
            .done()
        : tensors;
  }

  @Override
  public Map<String, Object> config(Tensors tensors) {
    int width = tensors.size(EMBEDDER, 0);
    int head = tensors.size(NORM, 0);
    int heads = width / head;
    int turning = head * 3 / 16 * 2; // with each of row and column
    return Map.of(
        "dim", width,
        "n_heads", heads,
        "n_kv_heads", heads,
        "n_layers", tensors.count("layers."),
        "n_refiner_layers", tensors.count("noise_refiner."),
        "cap_feat_dim", tensors.size("cap_embedder.0.weight", 0),
        "in_channels", tensors.size(EMBEDDER, 1) / (ZImageConfig.PATCH * ZImageConfig.PATCH),
        "axes_dims", List.of(head - 2 * turning, turning, turning),
        "axes_lens", List.of(1536, 512, 512));
  }

  @Override
  public String className() {
    return "ZImageTransformer2DModel";
  }

  @Override
  public String pipeline(Tensors tensors, Path file) {
    return "ZImagePipeline";
  }

  /** Those of Z-Image-Turbo, unless the file is named as that of Z-Image. */
  @Override
  public Map<String, Object> scheduler(Tensors tensors, Path file) {
    boolean base = BASE.matcher(String.valueOf(file.getFileName())).find();
    return ModelFormat.flowMatching(base ? 6 : 3, Map.of());
  }

  @Override
  public Map<String, Object> vae() {
    return Map.of("scaling_factor", 0.3611, "shift_factor", 0.1159, "sample_size", 1024);
  }

  @Override
  public List<TextSlot> texts() {
    return List.of(new TextSlot("", "Qwen3Model", "Qwen2Tokenizer", "qwen3", false, Map.of()));
  }
}
