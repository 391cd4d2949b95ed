package io.xfuser.models.internal.text;

import io.xfuser.models.internal.weights.CheckpointFormat;
import io.xfuser.models.internal.weights.Tensors;
import java.util.List;
import java.util.Map;

/** Qwen3 in a file of transformers' names, or of llama.cpp's in GGUF. */
public final class Qwen3Checkpoint implements CheckpointFormat {
  private static final String FIRST = "model.layers.0.";
  private static final String GGUF = "blk.0.attn_q_norm.weight";
  private static final String EMBEDDING = "model.embed_tokens.weight";

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
    return tensors.has(FIRST + "self_attn.q_norm.weight") || tensors.has(GGUF);
  }

  /** Source: llama.cpp's {@code gguf-py/gguf/constants.py}, QWEN3. */
  @Override
  public Tensors canonical(Tensors tensors) {
    if (!tensors.has(GGUF)) {
      return tensors;
    }
    String from = "blk\\.(\\d+)\\.";
    String to = "model.layers.$1.";
    return new Tensors.Renaming(tensors)
        .rule("token_embd\\.weight", EMBEDDING)
        .rule("output_norm\\.weight", "model.norm.weight")
        .rule("output\\.weight", "lm_head.weight")
        .rule(from + "attn_([qkv])\\.weight", to + "self_attn.$2_proj.weight")
        .rule(from + "attn_output\\.weight", to + "self_attn.o_proj.weight")
        .rule(from + "attn_([qk])_norm\\.weight", to + "self_attn.$2_norm.weight")
        .rule(from + "attn_norm\\.weight", to + "input_layernorm.weight")
        .rule(from + "ffn_norm\\.weight", to + "post_attention_layernorm.weight")
        .rule(from + "ffn_(gate|up|down)\\.weight", to + "mlp.$2_proj.weight")
        .done();
  }

  @Override
  public Map<String, Object> config(Tensors tensors) {
    int head = tensors.size(FIRST + "self_attn.q_norm.weight", 0);
    return Map.of(
        "vocab_size",
        tensors.size(EMBEDDING, 0),
        "hidden_size",
        tensors.size(EMBEDDING, 1),
        "head_dim",
        head,
        "num_attention_heads",
        tensors.size(FIRST + "self_attn.q_proj.weight", 0) / head,
        "num_key_value_heads",
        tensors.size(FIRST + "self_attn.k_proj.weight", 0) / head,
        "num_hidden_layers",
        tensors.count("model.layers."),
        "intermediate_size",
        tensors.size(FIRST + "mlp.gate_proj.weight", 0),
        "rope_theta",
        1000000.0,
        "rms_norm_eps",
        1e-6);
  }
}
