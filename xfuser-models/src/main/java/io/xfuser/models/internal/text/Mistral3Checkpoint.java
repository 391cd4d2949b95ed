package io.xfuser.models.internal.text;

import io.xfuser.models.internal.weights.CheckpointFormat;
import io.xfuser.models.internal.weights.Tensors;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Mistral Small 3 in a file of transformers' names, or its text side: as ComfyUI has it for Flux.2,
 * with its vocabulary, and without the layers after those whose states are looked at; or by
 * llama.cpp's names in GGUF, where rows of queries and keys lie in pairs. Heads are 128 wide, and
 * all of them together narrower than the model, by which it is told from Llama.
 */
public final class Mistral3Checkpoint implements CheckpointFormat {
  private static final int HEAD = 128;
  private static final double THETA = 1e9;
  private static final String QUERIES = "self_attn.q_proj.weight";
  private static final String PAIRED = DecoderNames.GGUF + "attn_q.weight";

  /** What models of other families have, whose heads may be narrow too. */
  private static final String OTHERS =
      ".*(q_norm|_proj\\.bias|attn_q\\.bias|post_ffw_norm|pre_feedforward_layernorm)(\\..*)?";

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
    if (tensors.has("multi_modal_projector.norm.weight")) {
      return tensors.has("language_model." + DecoderNames.FIRST + QUERIES);
    }
    return tensors.has("tekken_model")
        ? tensors.has(DecoderNames.FIRST + QUERIES)
        : isNarrow(tensors, PAIRED) || isNarrow(tensors, DecoderNames.FIRST + QUERIES);
  }

  private static boolean isNarrow(Tensors tensors, String queries) {
    return tensors.isWide(queries) && !tensors.any(OTHERS);
  }

  @Override
  public Tensors canonical(Tensors tensors) {
    Tensors named = DecoderNames.canonical(tensors);
    return tensors.has(PAIRED)
        ? new Tensors.Renaming(named)
            .unpaired("(model\\.layers\\.\\d+\\.self_attn\\.[qk]_proj\\..*)", "$1", HEAD)
            .done()
        : new Tensors.Renaming(named).rule("language_model\\.(.*)", "$1").done();
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
