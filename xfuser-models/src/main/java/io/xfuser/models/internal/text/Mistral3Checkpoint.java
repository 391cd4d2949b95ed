package io.xfuser.models.internal.text;

import io.xfuser.models.internal.weights.CheckpointFormat;
import io.xfuser.models.internal.weights.Tensors;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Mistral Small 3 in a file of transformers' names, or its text side as ComfyUI has it for Flux.2:
 * with its vocabulary, and without the layers after those whose states are looked at. Heads are 128
 * wide.
 */
public final class Mistral3Checkpoint implements CheckpointFormat {
  private static final int HEAD = 128;
  private static final double THETA = 1e9;
  private static final String QUERIES = "self_attn.q_proj.weight";

  @Override
  public String title() {
    return "a Mistral3 language model";
  }

  @Override
  public String component() {
    return "text_encoder";
  }

  @Override
  public List<String> prefixes() {
    return List.of("text_encoders.mistral3_24b.transformer.");
  }

  @Override
  public boolean fits(Tensors tensors) {
    return tensors.has("tekken_model")
        ? tensors.has(DecoderNames.FIRST + QUERIES)
        : tensors.has("multi_modal_projector.norm.weight")
            && tensors.has("language_model." + DecoderNames.FIRST + QUERIES);
  }

  @Override
  public Tensors canonical(Tensors tensors) {
    return new Tensors.Renaming(tensors).rule("language_model\\.(.*)", "$1").done();
  }

  @Override
  public Map<String, Object> config(Tensors tensors) {
    Map<String, Object> config = new HashMap<>(DecoderNames.sizes(tensors, HEAD));
    config.put("head_dim", HEAD);
    config.put("rope_theta", THETA);
    config.put("rms_norm_eps", 1e-5);
    config.put("sliding_window", null);
    config.put(DecoderConfig.CUT, !tensors.has("model.norm.weight"));
    return config;
  }
}
