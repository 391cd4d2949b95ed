package io.xfuser.models.internal.text;

import io.xfuser.models.internal.weights.CheckpointFormat;
import io.xfuser.models.internal.weights.Tensors;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** CLIP's text encoder in a file of transformers' names: {@code clip_l}, {@code clip_g}. */
public final class ClipCheckpoint implements CheckpointFormat {
  private static final String PROJECTION = "text_projection.weight";
  private static final int HEAD = 64; // of all that were published

  @Override
  public String title() {
    return "a CLIP text encoder";
  }

  @Override
  public String component() {
    return "text_encoder";
  }

  @Override
  public List<String> prefixes() {
    return List.of("text_encoders.clip_l.transformer.", "text_encoders.clip_g.transformer.");
  }

  @Override
  public boolean fits(Tensors tensors) {
    return tensors.has("text_model.embeddings.token_embedding.weight")
        && tensors.has("text_model.final_layer_norm.weight")
        && !tensors.has("text_model.head.weight"); // SigLIP's
  }

  /** Without a projection the identity is one, as in diffusers: a pooled output as it is. */
  @Override
  public Tensors canonical(Tensors tensors) {
    int width = tensors.size("text_model.final_layer_norm.weight", 0);
    return tensors.has(PROJECTION)
        ? tensors
        : new Tensors.Renaming(tensors)
            .identity("text_model.final_layer_norm.weight", PROJECTION, width)
            .done();
  }

  @Override
  public Map<String, Object> config(Tensors tensors) {
    int width = tensors.size("text_model.embeddings.token_embedding.weight", 1);
    Map<String, Object> config = new HashMap<>();
    config.put("vocab_size", tensors.size("text_model.embeddings.token_embedding.weight", 0));
    config.put("hidden_size", width);
    config.put(
        "max_position_embeddings",
        tensors.size("text_model.embeddings.position_embedding.weight", 0));
    config.put("num_attention_heads", Math.max(1, width / HEAD));
    config.put("num_hidden_layers", tensors.count("text_model.encoder.layers."));
    config.put("intermediate_size", tensors.size("text_model.encoder.layers.0.mlp.fc1.weight", 0));
    config.put("projection_dim", tensors.size(PROJECTION, 0));
    config.put("hidden_act", "quick_gelu");
    config.put("eos_token_id", 2); // as published: a text ends at its highest id
    return config;
  }
}
