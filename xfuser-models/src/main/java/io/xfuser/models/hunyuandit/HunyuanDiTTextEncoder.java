package io.xfuser.models.hunyuandit;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.models.text.BertEncoder;
import io.xfuser.models.text.MaskedEncoder;
import io.xfuser.models.text.T5Encoder;
import io.xfuser.models.text.TextTower;
import io.xfuser.models.text.TextTower.Opening;
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

  private final Side bert;
  private final Side t5;

  HunyuanDiTTextEncoder(PipelineComponents components) {
    this.bert = Side.open(components, "", HunyuanDiTConfig.BERT_TOKENS, BertEncoder::open);
    try {
      this.t5 = Side.open(components, SECOND, HunyuanDiTConfig.T5_TOKENS, T5Encoder::open);
    } catch (RuntimeException e) {
      bert.close();
      throw e;
    }
  }

  @Override
  public Map<String, NDArray> encode(NDManager owner, TextRequest request) {
    Map<String, NDArray> all = new HashMap<>();
    for (Side side : List.of(bert, t5)) {
      all.putAll(request.perPrompt(owner, side::states));
      // image i of all is drawn with the mask of prompt i mod P, as diffusers' pipeline has it: it
      // repeats the masks of all prompts, but the embeddings of each
      long[] rows = request.rows(image -> image % request.prompts().size());
      all.put(side.mask(), side.masks(owner, request.prompts(), rows));
      if (!request.negatives().isEmpty()) {
        all.put(TextRequest.NEGATIVE + side.mask(), side.masks(owner, request.negatives(), rows));
      }
    }
    return all;
  }

  @Override
  public long parameterBytes() {
    return bert.tower().encoder().parameterBytes() + t5.tower().encoder().parameterBytes();
  }

  @Override
  public void close() {
    bert.close();
    t5.close();
  }

  /**
   * A tokenizer and its encoder.
   *
   * @param suffix of the names of folders and tensors
   * @param length tokens of every text
   */
  private record Side(String suffix, int length, TextTower<MaskedEncoder> tower) {
    static Side open(
        PipelineComponents components, String suffix, int length, Opening<MaskedEncoder> opening) {
      return new Side(suffix, length, TextTower.open(components, suffix, opening));
    }

    String mask() {
      return BERT_MASK + suffix;
    }

    Map<String, NDArray> states(NDManager owner, List<String> prompts) {
      TokenIds tokens = tower.tokenizer().encode(prompts, length);
      return Map.of(
          BERT_EMBEDS + suffix, // (P, T, width)
          tower.encoder().encode(owner, tokens.ids(owner), tokens.mask(owner)));
    }

    NDArray masks(NDManager owner, List<String> prompts, long[] rows) {
      try (NDManager scope = owner.newSubManager()) {
        return Torch.rows(
            owner, tower.tokenizer().encode(prompts, length).mask(scope), rows); // (B, T)
      }
    }

    void close() {
      tower.close();
    }
  }
}
