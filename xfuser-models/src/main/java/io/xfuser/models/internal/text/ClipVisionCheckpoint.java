package io.xfuser.models.internal.text;

import io.xfuser.models.internal.weights.CheckpointFormat;
import io.xfuser.models.internal.weights.Tensors;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * CLIP's picture encoder in a file of transformers' names: {@code clip_vision_h}. Published ones of
 * 1024 and more have 16 heads, narrower ones heads of 64; those of 32 layers and more have the true
 * GELU. Source: ComfyUI {@code clip_vision.py} and the configurations that it reads.
 */
public final class ClipVisionCheckpoint implements CheckpointFormat {
  private static final int HEADS = 16;
  private static final int WIDE = 1024;
  private static final int HEAD = 64;
  private static final int DEEP = 32;
  private static final String CLASS = "vision_model.embeddings.class_embedding";
  private static final String PATCHES = "vision_model.embeddings.patch_embedding.weight";
  private static final String PLACES = "vision_model.embeddings.position_embedding.weight";
  private static final String PROJECTION = "visual_projection.weight";
  private static final String LAYERS = "vision_model.encoder.layers.";

  @Override
  public String title() {
    return "a CLIP picture encoder";
  }

  @Override
  public String component() {
    return ClipPictures.ENCODER;
  }

  @Override
  public List<String> prefixes() {
    return List.of();
  }

  @Override
  public boolean fits(Tensors tensors) {
    return tensors.has(CLASS) && tensors.has(PATCHES);
  }

  @Override
  public Tensors canonical(Tensors tensors) {
    return tensors;
  }

  @Override
  public Map<String, Object> config(Tensors tensors) {
    int width = tensors.size(CLASS, 0);
    int layers = tensors.count(LAYERS);
    int patch = tensors.size(PATCHES, 2);
    int side = (int) Math.round(Math.sqrt(tensors.size(PLACES, 0) - 1.0));
    Map<String, Object> config = new HashMap<>();
    config.put("hidden_size", width);
    config.put("num_hidden_layers", layers);
    config.put("num_attention_heads", width >= WIDE ? HEADS : Math.max(1, width / HEAD));
    config.put("intermediate_size", tensors.size(LAYERS + "0.mlp.fc1.bias", 0));
    config.put("patch_size", patch);
    config.put("image_size", side * patch);
    config.put("hidden_act", layers >= DEEP ? "gelu" : "quick_gelu");
    if (tensors.has(PROJECTION)) {
      config.put("projection_dim", tensors.size(PROJECTION, 0));
    }
    return config;
  }
}
