package io.xfuser.models.internal.qwenimage;

import io.xfuser.models.internal.files.ModelFormat;
import io.xfuser.models.internal.weights.Tensors;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * Qwen-Image in a file: its authors' names are diffusers' own, which ComfyUI and GGUF files keep.
 * What is for editing has the same tensors: the file's name tells it, or a mark among them.
 */
public final class QwenImageCheckpoint implements ModelFormat {
  private static final Pattern EDIT = Pattern.compile("edit");
  private static final Pattern PLUS = Pattern.compile("plus|25\\d\\d"); // 2509, 2511
  private static final Pattern STILL = Pattern.compile("edit.*2511");

  /** What ComfyUI puts into a file of 2511's, whatever its name. */
  private static final String STILL_MARK = "__index_timestep_zero__";

  private static final String BLOCKS = "transformer_blocks.";
  private static final String NORM = BLOCKS + "0.attn.norm_q.weight";

  /** Of a picture's pixels, as published beside the models that edit. */
  private static final Map<String, Object> PROCESSOR =
      Map.of("min_pixels", 56 * 56, "max_pixels", 3584 * 3584);

  @Override
  public String title() {
    return "a Qwen-Image transformer";
  }

  @Override
  public boolean fits(Tensors tensors) {
    return tensors.has(BLOCKS + "0.img_mod.1.weight");
  }

  @Override
  public Tensors canonical(Tensors tensors) {
    return tensors;
  }

  @Override
  public Map<String, Object> config(Tensors tensors) {
    int head = tensors.size(NORM, 0);
    int turning = head * 7 / 32 * 2; // with each of row and column, the rest with the frame
    return Map.of(
        "zero_cond_t", tensors.has(STILL_MARK),
        "num_layers", tensors.count(BLOCKS),
        "num_attention_heads", tensors.size(BLOCKS + "0.attn.to_q.weight", 0) / head,
        "attention_head_dim", head,
        "axes_dims_rope", List.of(head - 2 * turning, turning, turning),
        "in_channels", tensors.size("img_in.weight", 1),
        "out_channels",
            tensors.size("proj_out.weight", 0) / (QwenImageConfig.PATCH * QwenImageConfig.PATCH),
        "joint_attention_dim", tensors.size("txt_in.weight", 1),
        "use_additional_t_cond", tensors.has("time_text_embed.addition_t_embedding.weight"));
  }

  @Override
  public Map<String, Object> named(Path file) {
    return STILL.matcher(name(file)).find() ? Map.of("zero_cond_t", true) : Map.of();
  }

  @Override
  public String className() {
    return "QwenImageTransformer2DModel";
  }

  @Override
  public String pipeline(Tensors tensors, Path file) {
    return task(tensors, file).classNames().get(0);
  }

  private static QwenImageTask task(Tensors tensors, Path file) {
    if (tensors.has(STILL_MARK)) {
      return QwenImageTask.EDIT_PLUS;
    }
    if (!EDIT.matcher(name(file)).find()) {
      return QwenImageTask.DRAW;
    }
    return PLUS.matcher(name(file)).find() ? QwenImageTask.EDIT_PLUS : QwenImageTask.EDIT;
  }

  private static String name(Path file) {
    return String.valueOf(file.getFileName()).toLowerCase(Locale.ROOT);
  }

  @Override
  public Map<String, Object> scheduler(Tensors tensors, Path file) {
    return ModelFormat.flowMatching(
        1,
        Map.of(
            "use_dynamic_shifting",
            true,
            "max_image_seq_len",
            8192,
            "max_shift",
            0.9,
            "shift_terminal",
            0.02));
  }

  @Override
  public Map<String, Object> vae() {
    return Map.of("_class_name", "AutoencoderKLQwenImage");
  }

  @Override
  public Map<String, Object> processor(Tensors tensors, Path file) {
    return task(tensors, file) == QwenImageTask.DRAW ? Map.of() : PROCESSOR;
  }

  @Override
  public List<TextSlot> texts() {
    return List.of(
        new TextSlot(
            "",
            "Qwen2_5_VLForConditionalGeneration",
            "Qwen2Tokenizer",
            "qwen25_7b",
            false,
            Map.of()));
  }
}
