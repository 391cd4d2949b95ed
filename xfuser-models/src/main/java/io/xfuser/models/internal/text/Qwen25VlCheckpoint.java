package io.xfuser.models.internal.text;

import io.xfuser.models.internal.weights.CheckpointFormat;
import io.xfuser.models.internal.weights.Tensors;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Qwen2.5-VL in a file of transformers' names, older or newer, or its text side of llama.cpp's in
 * GGUF. Heads of all published sizes are 128 wide, those of the picture side are 16.
 */
public final class Qwen25VlCheckpoint implements CheckpointFormat {
  private static final int HEAD = 128;
  private static final int PICTURE_HEADS = 16;
  private static final String BIAS = "self_attn.q_proj.bias";
  private static final String PATCHES = "visual.patch_embed.proj.weight";
  private static final String MERGER = "visual.merger.mlp.";

  @Override
  public String title() {
    return "a Qwen2.5-VL language model";
  }

  @Override
  public String component() {
    return "text_encoder";
  }

  @Override
  public List<String> prefixes() {
    return List.of("text_encoders.qwen25_7b.transformer.");
  }

  @Override
  public boolean fits(Tensors tensors) {
    return tensors.has(DecoderNames.FIRST + BIAS)
        || tensors.has("model.language_model.layers.0." + BIAS)
        || tensors.has(DecoderNames.GGUF + "attn_q.bias");
  }

  @Override
  public Tensors canonical(Tensors tensors) {
    return new Tensors.Renaming(DecoderNames.canonical(tensors))
        .rule("model\\.language_model\\.(.*)", "model.$1")
        .rule("model\\.visual\\.(.*)", "visual.$1")
        .done();
  }

  @Override
  public Map<String, Object> config(Tensors tensors) {
    Map<String, Object> config = new HashMap<>(DecoderNames.sizes(tensors, HEAD));
    config.put("rope_scaling", Map.of("type", "mrope", "mrope_section", List.of(16, 24, 24)));
    if (tensors.has(PATCHES)) {
      config.put("vision_config", pictures(tensors));
    }
    return config;
  }

  private static Map<String, Object> pictures(Tensors tensors) {
    int width = tensors.size(PATCHES, 0);
    int merged = tensors.size(MERGER + "0.weight", 1) / Math.max(1, width);
    return Map.of(
        "depth", tensors.count("visual.blocks."),
        "hidden_size", width,
        "num_heads", PICTURE_HEADS,
        "intermediate_size", tensors.size("visual.blocks.0.mlp.gate_proj.weight", 0),
        "patch_size", tensors.size(PATCHES, 3),
        "temporal_patch_size", tensors.size(PATCHES, 2),
        "spatial_merge_size", (int) Math.round(Math.sqrt(merged)),
        "out_hidden_size", tensors.size(MERGER + "2.weight", 0));
  }
}
