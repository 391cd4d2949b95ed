package io.xfuser.models.internal.hunyuandit;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.model.PipelineComponents;
import io.xfuser.model.TextRequest;
import io.xfuser.model.TextRequest.Texts;
import io.xfuser.models.internal.text.TextTower;
import io.xfuser.models.internal.text.TextTowers;
import io.xfuser.models.internal.text.TokenIds;
import io.xfuser.weights.Share;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Encodes prompts with two encoders, as published BERT and mT5, each padded to its own length. */
final class HunyuanDiTTextEncoder extends TextTowers {
  /** The name of BERT's hidden states (B, 77, E). */
  static final String BERT_EMBEDS = "prompt_embeds";

  /** The name of BERT's mask (B, 77), 1 where text is. */
  static final String BERT_MASK = "prompt_attention_mask";

  private static final String SECOND = "_2";

  /** The name of T5's hidden states (B, 256, F). */
  static final String T5_EMBEDS = BERT_EMBEDS + SECOND;

  /** The name of T5's mask (B, 256), 1 where text is. */
  static final String T5_MASK = BERT_MASK + SECOND;

  private final Optional<TextTower> first;
  private final Optional<TextTower> second;

  HunyuanDiTTextEncoder(PipelineComponents components, Share share) {
    super(components, share);
    first = tower("");
    second = tower(SECOND);
  }

  @Override
  public Map<String, NDArray> encode(NDManager owner, TextRequest request) {
    return masksInTurn(owner, request, (to, texts, whole) -> masks(to, texts.of(0)));
  }

  @Override
  public Map<String, NDArray> encode(NDManager owner, Texts texts, TextRequest request) {
    List<String> prompts = texts.of(0);
    Map<String, NDArray> states = new HashMap<>();
    second.ifPresent(
        tower -> states.put(T5_EMBEDS, tower.states(owner, secondTokens(tower, prompts), request)));
    first.ifPresent(
        tower ->
            states.put(BERT_EMBEDS, tower.states(owner, firstTokens(tower, prompts), request)));
    return states;
  }

  private Map<String, NDArray> masks(NDManager owner, List<String> prompts) {
    Map<String, NDArray> masks = new HashMap<>();
    second.ifPresent(tower -> masks.put(T5_MASK, secondTokens(tower, prompts).mask(owner)));
    first.ifPresent(tower -> masks.put(BERT_MASK, firstTokens(tower, prompts).mask(owner)));
    return masks;
  }

  private static TokenIds firstTokens(TextTower tower, List<String> prompts) {
    return tower.tokenizer().encode(prompts, HunyuanDiTConfig.BERT_TOKENS);
  }

  private static TokenIds secondTokens(TextTower tower, List<String> prompts) {
    return tower.tokenizer().encode(prompts, HunyuanDiTConfig.T5_TOKENS);
  }
}
