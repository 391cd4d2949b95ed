package io.xfuser.models.internal.cogvideox;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.model.PipelineComponents;
import io.xfuser.model.TextRequest;
import io.xfuser.model.TextRequest.Texts;
import io.xfuser.models.internal.text.OneTower;
import io.xfuser.models.internal.text.TextTower;
import io.xfuser.weights.Share;
import java.util.Map;

/** T5's states of prompts, whose padding is as text is. */
final class CogVideoXTextEncoder extends OneTower {
  /** The name of the hidden states (B, T, text width). */
  static final String EMBEDS = "prompt_embeds";

  CogVideoXTextEncoder(PipelineComponents components, Share share) {
    super(components, share);
  }

  @Override
  protected Map<String, NDArray> encode(
      NDManager owner, TextTower tower, Texts texts, TextRequest request) {
    int tokens = request.options().maxSequenceLength();
    return Map.of(EMBEDS, tower.states(owner, texts.of(0), tokens, request));
  }
}
