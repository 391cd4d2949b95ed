package io.xfuser.models.internal.text;

import io.xfuser.failure.ModelException;
import io.xfuser.models.internal.weights.CheckpointFormat;
import io.xfuser.models.internal.weights.Tensors;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * SigLIP's picture encoder in a file of transformers' names, alone or with the half that reads
 * texts. Neither its heads are told by its weights, those of published ones are known by their
 * width, nor what no patch covers of a picture: 27 patches of 14 pixels are of one of 384. Source:
 * the configurations of google/siglip and google/siglip2.
 */
public final class SiglipVisionCheckpoint implements CheckpointFormat {
  private static final int HEAD = 64; // what is no wider has one

  /** Of base, large, so400m and giant ones, by width. */
  private static final Map<Integer, Integer> HEADS = Map.of(768, 12, 1024, 16, 1152, 16, 1536, 16);

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
    config.put("num_attention_heads", heads(tensors, width));
    config.put("intermediate_size", tensors.size(LAYERS + "0.mlp.fc1.bias", 0));
    config.put("patch_size", patch);
    config.put("image_size", SIDES.getOrDefault(covered, covered));
    return config;
  }

  private static int heads(Tensors tensors, int width) {
    Integer heads = width <= HEAD ? Integer.valueOf(1) : HEADS.get(width);
    if (heads == null) {
      throw new ModelException(
          "%s is a SigLIP picture encoder of width %d, whose heads its weights do not tell: give its folder, with config.json"
              .formatted(tensors.origin(), width));
    }
    return heads;
  }
}
