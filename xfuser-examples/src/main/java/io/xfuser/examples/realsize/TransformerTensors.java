package io.xfuser.examples.realsize;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;

/** The tensors of transformers, in the sizes of their {@code config.json}. */
final class TransformerTensors {
  private static final int SINUSOIDS = 256;

  private TransformerTensors() {}

  /** PixArtTransformer2DModel. */
  static List<RandomTensor> pixart(JsonNode config) {
    TensorNames tensors = new TensorNames();
    long width = width(config);
    long patch = config.get("patch_size").asLong();
    tensors.small("scale_shift_table", 2, width);
    tensors.linear("pos_embed.proj", width, config.get("in_channels").asLong(), patch, patch);
    mlp(tensors, "adaln_single.emb.timestep_embedder.linear_", width, SINUSOIDS);
    tensors.linear("adaln_single.linear", 6 * width, width);
    mlp(tensors, "caption_projection.linear_", width, config.get("caption_channels").asLong());
    for (int i = 0; i < config.get("num_layers").asInt(); i++) {
      String block = "transformer_blocks." + i + ".";
      tensors.small(block + "scale_shift_table", 6, width);
      attention(tensors, block + "attn1.", width);
      attention(tensors, block + "attn2.", width);
      feedForward(tensors, block + "ff.", width);
    }
    long rows = patch * patch * config.get("out_channels").asLong();
    return tensors.linear("proj_out", rows, width).list();
  }

  /** SD3Transformer2DModel. */
  static List<RandomTensor> sd3(JsonNode config) {
    TensorNames tensors = new TensorNames();
    long width = width(config);
    long patch = config.get("patch_size").asLong();
    long table = config.get("pos_embed_max_size").asLong();
    int depth = config.get("num_layers").asInt();
    tensors.table("pos_embed.pos_embed", 1, 1, table * table, width);
    tensors.linear("pos_embed.proj", width, config.get("in_channels").asLong(), patch, patch);
    conditions(tensors, config, width);
    for (int i = 0; i < depth; i++) {
      boolean last = i == depth - 1;
      String block = "transformer_blocks." + i + ".";
      tensors.linear(block + "norm1.linear", 6 * width, width);
      tensors.linear(block + "norm1_context.linear", (last ? 2 : 6) * width, width);
      joint(tensors, block, width);
      if (!last) {
        tensors.linear(block + "attn.to_add_out", width, width);
        feedForward(tensors, block + "ff_context.", width);
      }
    }
    tensors.linear("norm_out.linear", 2 * width, width);
    long rows = patch * patch * config.get("out_channels").asLong();
    return tensors.linear("proj_out", rows, width).list();
  }

  /** Flux without an embedding of guidance, by the names of black-forest-labs/flux. */
  static List<RandomTensor> flux(JsonNode config) {
    TensorNames tensors = new TensorNames();
    long width = width(config);
    long head = config.get("attention_head_dim").asLong();
    long channels = config.get("in_channels").asLong();
    tensors.linear("img_in", width, channels);
    tensors.linear("txt_in", width, config.get("joint_attention_dim").asLong());
    embedder(tensors, "time_in.", width, SINUSOIDS);
    embedder(tensors, "vector_in.", width, config.get("pooled_projection_dim").asLong());
    for (int i = 0; i < config.get("num_layers").asInt(); i++) {
      for (String stream : List.of("img", "txt")) {
        String part = "double_blocks." + i + "." + stream;
        tensors.linear(part + "_mod.lin", 6 * width, width);
        tensors.linear(part + "_attn.qkv", 3 * width, width);
        norms(tensors, part + "_attn.norm.", head);
        tensors.linear(part + "_attn.proj", width, width);
        tensors.linear(part + "_mlp.0", 4 * width, width);
        tensors.linear(part + "_mlp.2", width, 4 * width);
      }
    }
    for (int i = 0; i < config.get("num_single_layers").asInt(); i++) {
      String block = "single_blocks." + i + ".";
      tensors.linear(block + "modulation.lin", 3 * width, width);
      tensors.linear(block + "linear1", 7 * width, width);
      tensors.linear(block + "linear2", width, 5 * width);
      norms(tensors, block + "norm.", head);
    }
    tensors.linear("final_layer.adaLN_modulation.1", 2 * width, width);
    return tensors.linear("final_layer.linear", channels, width).list();
  }

  /** FluxTransformer2DModel, by diffusers' names. */
  static List<RandomTensor> fluxOfDiffusers(JsonNode config) {
    TensorNames tensors = new TensorNames();
    long width = width(config);
    long head = config.get("attention_head_dim").asLong();
    long channels = config.get("in_channels").asLong();
    tensors.linear("x_embedder", width, channels);
    conditions(tensors, config, width);
    if (config.get("guidance_embeds").asBoolean()) {
      mlp(tensors, "time_text_embed.guidance_embedder.linear_", width, SINUSOIDS);
    }
    for (int i = 0; i < config.get("num_layers").asInt(); i++) {
      String block = "transformer_blocks." + i + ".";
      tensors.linear(block + "norm1.linear", 6 * width, width);
      tensors.linear(block + "norm1_context.linear", 6 * width, width);
      joint(tensors, block, width);
      headNorms(tensors, block + "attn.norm_", head);
      headNorms(tensors, block + "attn.norm_added_", head);
      tensors.linear(block + "attn.to_add_out", width, width);
      feedForward(tensors, block + "ff_context.", width);
    }
    for (int i = 0; i < config.get("num_single_layers").asInt(); i++) {
      String block = "single_transformer_blocks." + i + ".";
      tensors.linear(block + "norm.linear", 3 * width, width);
      for (String part : List.of("to_q", "to_k", "to_v")) {
        tensors.linear(block + "attn." + part, width, width);
      }
      headNorms(tensors, block + "attn.norm_", head);
      tensors.linear(block + "proj_mlp", 4 * width, width);
      tensors.linear(block + "proj_out", width, 5 * width);
    }
    tensors.linear("norm_out.linear", 2 * width, width);
    return tensors.linear("proj_out", channels, width).list();
  }

  private static void headNorms(TensorNames tensors, String prefix, long head) {
    tensors.scale(prefix + "q.weight", head).scale(prefix + "k.weight", head);
  }

  private static void embedder(TensorNames tensors, String prefix, long width, long in) {
    tensors.linear(prefix + "in_layer", width, in).linear(prefix + "out_layer", width, width);
  }

  private static void norms(TensorNames tensors, String prefix, long head) {
    tensors.scale(prefix + "query_norm.scale", head).scale(prefix + "key_norm.scale", head);
  }

  private static long width(JsonNode config) {
    return config.get("num_attention_heads").asLong() * config.get("attention_head_dim").asLong();
  }

  private static void conditions(TensorNames tensors, JsonNode config, long width) {
    mlp(tensors, "time_text_embed.timestep_embedder.linear_", width, SINUSOIDS);
    long pooled = config.get("pooled_projection_dim").asLong();
    mlp(tensors, "time_text_embed.text_embedder.linear_", width, pooled);
    tensors.linear("context_embedder", width, config.get("joint_attention_dim").asLong());
  }

  private static void mlp(TensorNames tensors, String prefix, long width, long in) {
    tensors.linear(prefix + "1", width, in).linear(prefix + "2", width, width);
  }

  private static void joint(TensorNames tensors, String block, long width) {
    attention(tensors, block + "attn.", width);
    for (String part : List.of("add_q_proj", "add_k_proj", "add_v_proj")) {
      tensors.linear(block + "attn." + part, width, width);
    }
    feedForward(tensors, block + "ff.", width);
  }

  private static void attention(TensorNames tensors, String prefix, long width) {
    for (String part : List.of("to_q", "to_k", "to_v", "to_out.0")) {
      tensors.linear(prefix + part, width, width);
    }
  }

  private static void feedForward(TensorNames tensors, String prefix, long width) {
    tensors.linear(prefix + "net.0.proj", 4 * width, width);
    tensors.linear(prefix + "net.2", width, 4 * width);
  }
}
