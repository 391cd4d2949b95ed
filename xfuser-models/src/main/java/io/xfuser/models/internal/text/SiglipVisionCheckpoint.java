package io.xfuser.models.internal.text;

import io.xfuser.models.internal.weights.CheckpointFormat;
import io.xfuser.models.internal.weights.Tensors;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * SigLIP's picture encoder in a file of transformers' names, alone or with the half that reads
 * texts. Published ones have heads of 64, but of width 1152 16 heads; what no patch covers of a
 * picture, its weights do not tell: 27 patches of 14 pixels are of one of 384. Source: the
 * configurations of google/siglip.
 */
public final class SiglipVisionCheckpoint implements CheckpointFormat {
  private static final int HEAD = 64;
  private static final int WIDE = 1152;
  private static final int WIDE_HEADS = 16;
  private static final Map<Integer, Integer> SIDES = Map.of(27 * 14, 384);
  private static final String CLASS = "vision_model.embeddings.class_embedding";
  private static final String PATCHES = "vision_model.embeddings.patch_embedding.weight";
  private static final String PLACES = "vision_model.embeddings.position_embedding.weight";
  private static final String LAYERS = "vision_model.encoder.layers.";

  @Override
  public String title() {
    return "a SigLIP picture encoder";
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
    return tensors.has(PATCHES) && tensors.has(PLACES) && !tensors.has(CLASS);
  }

  @Override
  public Tensors canonical(Tensors tensors) {
    return tensors;
  }

  @Override
  public Map<String, Object> config(Tensors tensors) {
    int width = tensors.size(PATCHES, 0);
    int patch = tensors.size(PATCHES, 2);
    int covered = (int) Math.round(Math.sqrt(tensors.size(PLACES, 0))) * patch;
    Map<String, Object> config = new HashMap<>();
    config.put("model_type", "siglip_vision_model");
    config.put("hidden_size", width);
    config.put("num_hidden_layers", tensors.count(LAYERS));
    config.put("num_attention_heads", width == WIDE ? WIDE_HEADS : Math.max(1, width / HEAD));
    config.put("intermediate_size", tensors.size(LAYERS + "0.mlp.fc1.bias", 0));
    config.put("patch_size", patch);
    config.put("image_size", SIDES.getOrDefault(covered, covered));
    return config;
  }
}
