package io.xfuser.models.internal.zimage;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.model.PipelineComponents;
import io.xfuser.model.TextRequest;
import io.xfuser.model.TextRequest.Texts;
import io.xfuser.models.internal.text.OneTower;
import io.xfuser.models.internal.text.TextTower;
import io.xfuser.models.internal.text.TokenIds;
import io.xfuser.weights.Share;
import java.util.List;
import java.util.Map;

/** A language model's states of the prompt as a user's message, before its last layer. */
final class ZImageTextEncoder extends OneTower {
  /** The name of the hidden states (B, S, text width). */
  static final String EMBEDS = "prompt_embeds";

  /** The name of the mask (B, S) int64, 1 where text is. */
  static final String MASK = "prompt_attention_mask";

  /** What Qwen3's chat template makes of a message, with thinking. */
  private static final String TEMPLATE = "<|im_start|>user\n%s<|im_end|>\n<|im_start|>assistant\n";

  private static final int LAYER = -2;

  ZImageTextEncoder(PipelineComponents components, Share share) {
    super(components, share);
  }

  @Override
  protected Map<String, NDArray> encode(
      NDManager owner, TextTower tower, Texts texts, TextRequest request) {
    List<String> messages = texts.of(0).stream().map(TEMPLATE::formatted).toList();
    TokenIds tokens =
        tower.tokenizer().encode(messages, request.options().maxSequenceLength()).trimmed();
    NDArray states = tower.inner(owner, tokens, List.of(LAYER), request.context()).get(0);
    return Map.of(EMBEDS, states, MASK, tokens.mask(owner));
  }
}
