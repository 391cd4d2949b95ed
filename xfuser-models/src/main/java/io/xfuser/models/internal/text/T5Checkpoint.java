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
    if (tensors.has(FIRST + "0.SelfAttention.q.weight")) {
      return tensors;
    }
    boolean gated = tensors.has(WAN) || tensors.has("enc.blk.0.ffn_gate.weight");
    return new Tensors.Renaming(tensors)
        .rule("(?:token_embd|token_embedding)\\.weight", SHARED)
        .rule("(?:enc\\.output_norm|norm)\\.weight", "encoder.final_layer_norm.weight")
        .rule(LAYER.formatted("(?:attn_|attn\\.)([qkvo])"), ITS + "0.SelfAttention.$2.weight")
        .rule(
            LAYER.formatted("(?:attn_rel_b|pos_embedding\\.embedding)"),
            ITS + "0.SelfAttention.relative_attention_bias.weight")
        .rule(LAYER.formatted("(?:attn_norm|norm1)"), ITS + "0.layer_norm.weight")
        .rule(LAYER.formatted("(?:ffn_norm|norm2)"), ITS + "1.layer_norm.weight")
        .rule(LAYER.formatted("(?:ffn_gate|ffn\\.gate\\.0)"), ITS + "1." + GATE)
        .rule(LAYER.formatted("(?:ffn_up|ffn\\.fc1)"), ITS + "1." + (gated ? GATED : PLAIN))
        .rule(LAYER.formatted("(?:ffn_down|ffn\\.fc2)"), ITS + "1.DenseReluDense.wo.weight")
        .done();
  }

  /** A tensor of a layer, by llama.cpp's name, or by that of Wan's authors; and by its own. */
  private static final String LAYER = "(?:enc\\.blk|blocks)\\.(\\d+)\\.%s\\.weight";

  private static final String ITS = "encoder.block.$1.layer.";
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
