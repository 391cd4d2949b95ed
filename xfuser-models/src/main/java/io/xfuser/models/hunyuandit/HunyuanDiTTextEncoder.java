package io.xfuser.models.hunyuandit;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.models.text.BertEncoder;
import io.xfuser.models.text.MaskedEncoder;
import io.xfuser.models.text.T5Encoder;
import io.xfuser.models.text.TextTower;
import io.xfuser.models.text.TokenIds;
import io.xfuser.pipeline.PipelineComponents;
import io.xfuser.pipeline.TextEncoder;
import io.xfuser.pipeline.TextRequest;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Encodes prompts with BERT and with mT5, each padded to its own length. */
final class HunyuanDiTTextEncoder implements TextEncoder {
  /** The name of BERT's hidden states (B, 77, E). */
  static final String BERT_EMBEDS = "prompt_embeds";

  /** The name of BERT's mask (B, 77), 1 where text is. */
  static final String BERT_MASK = "prompt_attention_mask";

  private static final String SECOND = "_2";

  /** The name of T5's hidden states (B, 256, F). */
  static final String T5_EMBEDS = BERT_EMBEDS + SECOND;

  /** The name of T5's mask (B, 256), 1 where text is. */
  static final String T5_MASK = BERT_MASK + SECOND;

  private final TextTower<MaskedEncoder> bert;
  private final TextTower<MaskedEncoder> t5;

  HunyuanDiTTextEncoder(PipelineComponents components) {
    this.bert = TextTower.open(components, "", BertEncoder::open);
    try {
      this.t5 = TextTower.open(components, SECOND, T5Encoder::open);
    } catch (RuntimeException e) {
      bert.close();
      throw e;
    }
  }

  @Override
  public Map<String, NDArray> encode(NDManager owner, TextRequest request) {
    Map<String, NDArray> all =
        new HashMap<>(request.perPrompt(owner, (to, prompts, options) -> states(to, prompts)));
    // diffusers' pipeline repeats the masks of all prompts, but the embeddings of each
    all.putAll(request.inTurn(owner, (to, prompts, options) -> masks(to, prompts)));
    return all;
  }

  private Map<String, NDArray> states(NDManager owner, List<String> prompts) {
    TokenIds words = words(prompts);
    TokenIds pieces = pieces(prompts);
    return Map.of(
        BERT_EMBEDS, bert.encoder().encode(owner, words.ids(owner), words.mask(owner)),
        T5_EMBEDS, t5.encoder().encode(owner, pieces.ids(owner), pieces.mask(owner)));
  }

  private Map<String, NDArray> masks(NDManager owner, List<String> prompts) {
    return Map.of(BERT_MASK, words(prompts).mask(owner), T5_MASK, pieces(prompts).mask(owner));
  }

  private TokenIds words(List<String> prompts) {
    return bert.tokenizer().encode(prompts, HunyuanDiTConfig.BERT_TOKENS);
  }

  private TokenIds pieces(List<String> prompts) {
    return t5.tokenizer().encode(prompts, HunyuanDiTConfig.T5_TOKENS);
  }

  @Override
  public long parameterBytes() {
    return bert.encoder().parameterBytes() + t5.encoder().parameterBytes();
  }

  @Override
  public void close() {
    bert.close();
    t5.close();
  }
}
