package io.xfuser.models.internal.chroma;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.model.PipelineComponents;
import io.xfuser.model.TextRequest;
import io.xfuser.model.TextRequest.Texts;
import io.xfuser.models.internal.text.OneTower;
import io.xfuser.models.internal.text.TextTower;
import io.xfuser.models.internal.text.TokenIds;
import io.xfuser.weights.Share;
import java.util.Map;

/** T5's states without its padding, of which the transformer none the less keeps the first. */
final class ChromaTextEncoder extends OneTower {
  /** The name of the hidden states (B, T, text width). */
  static final String EMBEDS = "prompt_embeds";

  /** The name of the mask (B, T) int64, 1 for the text and the first token of the padding. */
  static final String MASK = "prompt_attention_mask";

  ChromaTextEncoder(PipelineComponents components, Share share) {
    super(components, share);
  }

  @Override
  protected Map<String, NDArray> encode(
      NDManager owner, TextTower tower, Texts texts, TextRequest request) {
    TokenIds tokens = tower.tokenizer().encode(texts.of(0), request.options().maxSequenceLength());
    try (NDManager scope = owner.newSubManager()) {
      return Map.of(
          EMBEDS, tower.states(owner, tokens, request),
          MASK, Chroma.PROGRAM.call(owner, "kept", tokens.mask(scope)));
    }
  }
}
