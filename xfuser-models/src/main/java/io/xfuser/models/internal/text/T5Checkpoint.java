package io.xfuser.models.internal.text;

import io.xfuser.models.internal.weights.CheckpointFormat;
import io.xfuser.models.internal.weights.Tensors;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** T5's encoder in a file of transformers' names, of Wan's authors', or of llama.cpp's in GGUF. */
public final class T5Checkpoint implements CheckpointFormat {
  private static final String SHARED = "shared.weight";
  private static final String WAN = "blocks.0.ffn.gate.0.weight";
  private static final String OWN = "encoder.embed_tokens.weight";
  private static final String FIRST = "encoder.block.0.layer.";
  private static final String POSITIONS = FIRST + "0.SelfAttention.relative_attention_bias.weight";

  @Override
  public String title() {
    return "a T5 encoder";
  }

  @Override
  public String component() {
    return "text_encoder";
  }

  @Override
  public List<String> prefixes() {
    return List.of(
        "text_encoders.t5xxl.transformer.",
        "text_encoders.umt5xxl.transformer.",
        "text_encoders.byt5_small.transformer.");
  }

  @Override
  public boolean fits(Tensors tensors) {
    return tensors.has(FIRST + "0.SelfAttention.q.weight")
        || tensors.has("enc.blk.0.attn_q.weight")
        || tensors.has(WAN);
  }

  /**
   * {@inheritDoc} Sources: llama.cpp's {@code gguf-py/gguf/constants.py}, T5ENCODER; Wan's {@code
   * wan/modules/t5.py}.
   */
  @Override
  public Tensors canonical(Tensors tensors) {
    if (tensors.has(WAN)) {
      return ofWan(tensors);
    }
    if (!tensors.has("enc.blk.0.attn_q.weight")) {
      return tensors;
    }
    String from = "enc\\.blk\\.(\\d+)\\.";
    String attention = "encoder.block.$1.layer.0.";
    String neurons = "encoder.block.$1.layer.1.";
    return new Tensors.Renaming(tensors)
        .rule("token_embd\\.weight", SHARED)
        .rule("enc\\.output_norm\\.weight", "encoder.final_layer_norm.weight")
        .rule(from + "attn_([qkvo])\\.weight", attention + "SelfAttention.$2.weight")
        .rule(
            from + "attn_rel_b\\.weight",
            attention + "SelfAttention.relative_attention_bias.weight")
        .rule(from + "attn_norm\\.weight", attention + "layer_norm.weight")
        .rule(from + "ffn_gate\\.weight", neurons + GATE)
        .rule(
            from + "ffn_up\\.weight",
            neurons + (tensors.has("enc.blk.0.ffn_gate.weight") ? GATED : PLAIN))
        .rule(from + "ffn_down\\.weight", neurons + "DenseReluDense.wo.weight")
        .rule(from + "ffn_norm\\.weight", neurons + "layer_norm.weight")
        .done();
  }

  /** By the names of Wan's authors. */
  private static Tensors ofWan(Tensors tensors) {
    String from = "blocks\\.(\\d+)\\.";
    String attention = "encoder.block.$1.layer.0.";
    String neurons = "encoder.block.$1.layer.1.";
    return new Tensors.Renaming(tensors)
        .rule("token_embedding\\.weight", SHARED)
        .rule("norm\\.weight", "encoder.final_layer_norm.weight")
        .rule(from + "attn\\.([qkvo])\\.weight", attention + "SelfAttention.$2.weight")
        .rule(
            from + "pos_embedding\\.embedding\\.weight",
            attention + "SelfAttention.relative_attention_bias.weight")
        .rule(from + "norm1\\.weight", attention + "layer_norm.weight")
        .rule(from + "norm2\\.weight", neurons + "layer_norm.weight")
        .rule(from + "ffn\\.gate\\.0\\.weight", neurons + GATE)
        .rule(from + "ffn\\.fc1\\.weight", neurons + GATED)
        .rule(from + "ffn\\.fc2\\.weight", neurons + "DenseReluDense.wo.weight")
        .done();
  }

  private static final String GATE = "DenseReluDense.wi_0.weight";
  private static final String GATED = "DenseReluDense.wi_1.weight";
  private static final String PLAIN = "DenseReluDense.wi.weight";

  @Override
  public Map<String, Object> config(Tensors tensors) {
    String embedding = tensors.has(SHARED) ? SHARED : OWN;
    boolean gated = tensors.has(FIRST + "1." + GATED);
    int heads = tensors.size(POSITIONS, 1);
    Map<String, Object> config = new HashMap<>();
    config.put("vocab_size", tensors.size(embedding, 0));
    config.put("d_model", tensors.size(embedding, 1));
    config.put("num_heads", heads);
    config.put("d_kv", tensors.size(FIRST + "0.SelfAttention.q.weight", 0) / heads);
    config.put("num_layers", tensors.count("encoder.block."));
    config.put("d_ff", tensors.size(FIRST + "1." + (gated ? GATED : PLAIN), 0));
    config.put("feed_forward_proj", gated ? "gated-gelu" : "relu");
    config.put("relative_attention_num_buckets", tensors.size(POSITIONS, 0));
    return config;
  }
}
