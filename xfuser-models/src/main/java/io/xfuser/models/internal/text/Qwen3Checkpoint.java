package io.xfuser.models.internal.text;

import io.xfuser.models.internal.weights.CheckpointFormat;
import io.xfuser.models.internal.weights.Tensors;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Qwen3 in a file of transformers' names, or of llama.cpp's in GGUF. */
public final class Qwen3Checkpoint implements CheckpointFormat {
  /** What Gemma has besides, in either form. */
  private static final String GEMMA =
      "model\\.layers\\.0\\.pre_feedforward_layernorm\\.weight|blk\\.0\\.post_ffw_norm\\.weight";

  private static final String NORM = DecoderNames.FIRST + "self_attn.q_norm.weight";

  @Override
  public String title() {
    return "a Qwen3 language model";
  }

  @Override
  public String component() {
    return "text_encoder";
  }

  @Override
  public List<String> prefixes() {
    return List.of("text_encoders.qwen3_4b.transformer.", "text_encoders.qwen3_8b.transformer.");
  }

  @Override
  public boolean fits(Tensors tensors) {
    return (tensors.has(NORM) || tensors.has(DecoderNames.GGUF + "attn_q_norm.weight"))
        && !tensors.any(GEMMA);
  }

  @Override
  public Tensors canonical(Tensors tensors) {
    return DecoderNames.canonical(tensors);
  }

  @Override
  public Map<String, Object> config(Tensors tensors) {
    int head = tensors.size(NORM, 0);
    Map<String, Object> config = new HashMap<>(DecoderNames.sizes(tensors, head));
    config.put("head_dim", head);
    return config;
  }
}
