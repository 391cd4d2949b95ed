package io.xfuser.models.internal.flux;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.model.PipelineComponents;
import io.xfuser.model.TextRequest;
import io.xfuser.model.TextRequest.Texts;
import io.xfuser.models.internal.text.TextTower;
import io.xfuser.models.internal.text.TextTowers;
import io.xfuser.weights.Share;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * The pooled text of the first encoder, and the states of the second, which sees its padding too.
 */
final class FluxTextEncoder extends TextTowers {
  /** The name of the hidden states (B, T, text width). */
  static final String EMBEDS = "prompt_embeds";

  /** The name of the pooled text (B, pooled width). */
  static final String POOLED = "pooled_prompt_embeds";

  private static final int POOLED_TOKENS = 77; // where the tokenizer's files do not say

  private final Optional<TextTower> first;
  private final Optional<TextTower> second;

  FluxTextEncoder(PipelineComponents components, Share share) {
    super(components, share);
    first = tower("");
    second = tower("_2");
  }

  @Override
  public Map<String, NDArray> encode(NDManager owner, Texts texts, TextRequest request) {
    int tokens = request.options().maxSequenceLength();
    Map<String, NDArray> all = new HashMap<>();
    second.ifPresent(tower -> all.put(EMBEDS, tower.states(owner, texts.of(1), tokens, request)));
    first.ifPresent(
        tower -> {
          int most = tower.limit(POOLED_TOKENS);
          all.put(POOLED, tower.pooled(owner, tower.input(owner, texts.of(0), most, request)));
        });
    return all;
  }
}
