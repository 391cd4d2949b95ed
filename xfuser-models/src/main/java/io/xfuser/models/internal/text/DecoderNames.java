package io.xfuser.models.internal.text;

import io.xfuser.models.internal.weights.Tensors;
import java.util.Map;

/**
 * The names of a language model's tensors: transformers', and llama.cpp's in GGUF. Source:
 * llama.cpp's {@code gguf-py/gguf/constants.py}, QWEN2VL, QWEN3 and LLAMA.
 */
final class DecoderNames {
  /** What the names of the first layer begin with. */
  static final String FIRST = "model.layers.0.";

  /** What llama.cpp's names of it begin with. */
  static final String GGUF = "blk.0.";

  private static final String EMBEDDING = "model.embed_tokens.weight";

  private DecoderNames() {}

  static Tensors canonical(Tensors tensors) {
    if (!tensors.has(GGUF + "attn_norm.weight")) {
      return tensors;
    }
    String from = "blk\\.(\\d+)\\.";
    String to = "model.layers.$1.";
    return new Tensors.Renaming(tensors)
        .rule("token_embd\\.weight", EMBEDDING)
        .rule("output_norm\\.weight", "model.norm.weight")
        .rule("output\\.weight", "lm_head.weight")
        .rule(from + "attn_([qkv])\\.(weight|bias)", to + "self_attn.$2_proj.$3")
        .rule(from + "attn_output\\.weight", to + "self_attn.o_proj.weight")
        .rule(from + "attn_([qk])_norm\\.weight", to + "self_attn.$2_norm.weight")
        .rule(from + "attn_norm\\.weight", to + "input_layernorm.weight")
        .rule(from + "ffn_norm\\.weight", to + "post_attention_layernorm.weight")
        .rule(from + "ffn_(gate|up|down)\\.weight", to + "mlp.$2_proj.weight")
        .done();
  }

  /**
   * The sizes that shapes tell.
   *
   * @param tensors by transformers' names
   * @param head D, the width of a head
   */
  static Map<String, Object> sizes(Tensors tensors, int head) {
    return Map.of(
        "vocab_size",
        tensors.size(EMBEDDING, 0),
        "hidden_size",
        tensors.size(EMBEDDING, 1),
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
