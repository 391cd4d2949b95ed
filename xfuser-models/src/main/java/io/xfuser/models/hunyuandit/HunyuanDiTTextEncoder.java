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
import io.xfuser.torchscript.Torch;
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
    Map<String, NDArray> all = new HashMap<>();
    all.putAll(
        request.perPrompt(
            owner,
            (to, prompts) ->
                Map.of(
                    BERT_EMBEDS, states(to, bert, prompts, HunyuanDiTConfig.BERT_TOKENS),
                    T5_EMBEDS, states(to, t5, prompts, HunyuanDiTConfig.T5_TOKENS))));
    // image i has the mask of prompt i mod P: diffusers' pipeline repeats the masks of all prompts,
    // one after another, but the embeddings of each
    long[] rows = request.rows(image -> image % request.prompts().size());
    all.putAll(masks(owner, request.prompts(), rows, ""));
    if (!request.negatives().isEmpty()) {
      all.putAll(masks(owner, request.negatives(), rows, TextRequest.NEGATIVE));
    }
    return all;
  }

  /** (P, tokens, width). */
  private static NDArray states(
      NDManager owner, TextTower<MaskedEncoder> tower, List<String> prompts, int tokens) {
    TokenIds ids = tower.tokenizer().encode(prompts, tokens);
    try (NDManager scope = owner.newSubManager()) {
      return tower.encoder().encode(owner, ids.ids(scope), ids.mask(scope));
    }
  }

  private Map<String, NDArray> masks(
      NDManager owner, List<String> prompts, long[] rows, String prefix) {
    TokenIds words = bert.tokenizer().encode(prompts, HunyuanDiTConfig.BERT_TOKENS);
    TokenIds pieces = t5.tokenizer().encode(prompts, HunyuanDiTConfig.T5_TOKENS);
    try (NDManager scope = owner.newSubManager()) {
      return Map.of(
          prefix + BERT_MASK, Torch.rows(owner, words.mask(scope), rows), // (B, 77)
          prefix + T5_MASK, Torch.rows(owner, pieces.mask(scope), rows)); // (B, 256)
    }
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
