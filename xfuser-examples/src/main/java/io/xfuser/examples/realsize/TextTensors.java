package io.xfuser.examples.realsize;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;

/** The tensors of text encoders, in the sizes of their {@code config.json}. */
final class TextTensors {
  private static final double EMBEDDING = 0.02;

  private TextTensors() {}

  /** T5 v1.1's encoder. */
  static List<RandomTensor> t5(JsonNode config) {
    TensorNames tensors = new TensorNames();
    long width = config.get("d_model").asLong();
    long head = config.get("d_kv").asLong();
    long heads = config.get("num_heads").asLong();
    long inner = config.get("d_ff").asLong();
    tensors.table("shared.weight", 1, config.get("vocab_size").asLong(), width);
    for (int i = 0; i < config.get("num_layers").asInt(); i++) {
      String layer = "encoder.block." + i + ".layer.";
      String attention = layer + "0.SelfAttention.";
      // T5 does not scale its scores: its queries are small
      tensors
          .matrix(attention + "q", 1 / Math.sqrt((double) head), heads * head, width)
          .matrix(attention + "k", 1, heads * head, width)
          .matrix(attention + "v", 1, heads * head, width)
          .matrix(attention + "o", 1, width, heads * head);
      if (i == 0) {
        long buckets = config.get("relative_attention_num_buckets").asLong();
        tensors.small(attention + "relative_attention_bias.weight", buckets, heads);
      }
      tensors
          .scale(layer + "0.layer_norm.weight", width)
          .matrix(layer + "1.DenseReluDense.wi_0", 1, inner, width)
          .matrix(layer + "1.DenseReluDense.wi_1", 1, inner, width)
          .matrix(layer + "1.DenseReluDense.wo", 1, width, inner)
          .scale(layer + "1.layer_norm.weight", width);
    }
    return tensors.scale("encoder.final_layer_norm.weight", width).list();
  }

  /** CLIP's text model, with the projection of its pooled state. */
  static List<RandomTensor> clip(JsonNode config) {
    long width = config.get("hidden_size").asLong();
    return clipModel(config)
        .matrix("text_projection", 1, config.get("projection_dim").asLong(), width)
        .list();
  }

  /** CLIP's text model alone. */
  static List<RandomTensor> clipAlone(JsonNode config) {
    return clipModel(config).list();
  }

  private static TensorNames clipModel(JsonNode config) {
    TensorNames tensors = new TensorNames();
    long width = config.get("hidden_size").asLong();
    long inner = config.get("intermediate_size").asLong();
    String embeddings = "text_model.embeddings.";
    tensors
        .table(
            embeddings + "token_embedding.weight",
            EMBEDDING,
            config.get("vocab_size").asLong(),
            width)
        .table(
            embeddings + "position_embedding.weight",
            EMBEDDING,
            config.get("max_position_embeddings").asLong(),
            width);
    for (int i = 0; i < config.get("num_hidden_layers").asInt(); i++) {
      String layer = "text_model.encoder.layers." + i + ".";
      for (String part : List.of("k_proj", "v_proj", "q_proj", "out_proj")) {
        tensors.linear(layer + "self_attn." + part, width, width);
      }
      tensors
          .norm(layer + "layer_norm1", width)
          .linear(layer + "mlp.fc1", inner, width)
          .linear(layer + "mlp.fc2", width, inner)
          .norm(layer + "layer_norm2", width);
    }
    return tensors.norm("text_model.final_layer_norm", width);
  }
}
