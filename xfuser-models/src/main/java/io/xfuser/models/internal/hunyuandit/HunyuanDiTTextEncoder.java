package io.xfuser.models.internal.hunyuandit;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.model.PipelineComponents;
import io.xfuser.model.TextRequest;
import io.xfuser.models.internal.text.BertEncoder;
import io.xfuser.models.internal.text.T5Encoder;
import io.xfuser.models.internal.text.TextTower;
import io.xfuser.models.internal.text.TextTowers;
import io.xfuser.models.internal.text.TokenIds;
import io.xfuser.weights.Share;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Encodes prompts with BERT and with mT5, each padded to its own length. Of shares, only the first
 * has a BERT.
 */
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

  private final Optional<TextTower<BertEncoder>> bert;
  private final TextTower<T5Encoder> t5;

  HunyuanDiTTextEncoder(PipelineComponents components, Share share) {
    super(components, share);
    bert = whole("", BertEncoder::open);
    t5 = t5(SECOND);
  }

  @Override
  public Map<String, NDArray> encode(NDManager owner, TextRequest request) {
    Map<String, NDArray> all = new HashMap<>(request.perPrompt(owner, this::states));
    // diffusers' pipeline repeats the masks of all prompts, but the embeddings of each
    all.putAll(request.inTurn(owner, (to, prompts, whole) -> masks(to, prompts)));
    return all;
  }

  private Map<String, NDArray> states(NDManager owner, List<String> prompts, TextRequest request) {
    Map<String, NDArray> states = new HashMap<>();
    TokenIds tokens = t5Tokens(prompts);
    NDArray mask = tokens.mask(owner);
    states.put(T5_EMBEDS, t5.encoder().encode(owner, tokens.ids(owner), mask, request.context()));
    bert.ifPresent(
        tower -> states.put(BERT_EMBEDS, states(owner, tower, bertTokens(tower, prompts))));
    return states;
  }

  private static NDArray states(NDManager owner, TextTower<BertEncoder> bert, TokenIds tokens) {
    return bert.encoder().encode(owner, tokens.ids(owner), tokens.mask(owner));
  }

  private Map<String, NDArray> masks(NDManager owner, List<String> prompts) {
    Map<String, NDArray> masks = new HashMap<>();
    masks.put(T5_MASK, t5Tokens(prompts).mask(owner));
    bert.ifPresent(tower -> masks.put(BERT_MASK, bertTokens(tower, prompts).mask(owner)));
    return masks;
  }

  private static TokenIds bertTokens(TextTower<BertEncoder> bert, List<String> prompts) {
    return bert.tokenizer().encode(prompts, HunyuanDiTConfig.BERT_TOKENS);
  }

  private TokenIds t5Tokens(List<String> prompts) {
    return t5.tokenizer().encode(prompts, HunyuanDiTConfig.T5_TOKENS);
  }
}
