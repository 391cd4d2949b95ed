package io.xfuser.models.internal.flux;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.model.PipelineComponents;
import io.xfuser.model.TextRequest;
import io.xfuser.models.internal.text.ClipTextEncoder;
import io.xfuser.models.internal.text.T5Encoder;
import io.xfuser.models.internal.text.TextTower;
import io.xfuser.models.internal.text.TextTowers;
import io.xfuser.weights.Share;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * CLIP's pooled output, and the states of T5, which attends its padding too. Of shares, only the
 * first has a CLIP.
 */
final class FluxTextEncoder extends TextTowers {
  /** The name of T5's hidden states (B, T, text width). */
  static final String EMBEDS = "prompt_embeds";

  /** The name of CLIP's pooled output (B, pooled width). */
  static final String POOLED = "pooled_prompt_embeds";

  private final Optional<TextTower<ClipTextEncoder>> clip;
  private final TextTower<T5Encoder> t5;

  FluxTextEncoder(PipelineComponents components, Share share) {
    super(components, share);
    clip = whole("", ClipTextEncoder::open);
    t5 = t5("_2");
  }

  @Override
  public Map<String, NDArray> encode(NDManager owner, TextRequest request) {
    return request.perPrompt(owner, this::encode);
  }

  private Map<String, NDArray> encode(NDManager owner, List<String> prompts, TextRequest request) {
    NDArray ids = t5.ids(owner, prompts, request.options().maxSequenceLength());
    Map<String, NDArray> all = new HashMap<>();
    all.put(EMBEDS, t5.encoder().encode(owner, ids, request.context()));
    clip.ifPresent(
        tower -> {
          NDArray clipIds = tower.ids(owner, prompts, tower.limit(ClipTextEncoder.LONGEST));
          all.put(POOLED, tower.encoder().pooled(owner, clipIds));
        });
    return all;
  }
}
