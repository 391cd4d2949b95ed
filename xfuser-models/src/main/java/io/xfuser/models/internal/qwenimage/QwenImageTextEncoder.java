package io.xfuser.models.internal.qwenimage;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.model.PipelineComponents;
import io.xfuser.model.TextRequest;
import io.xfuser.model.TextRequest.Texts;
import io.xfuser.models.internal.text.TextTower;
import io.xfuser.models.internal.text.TextTowers;
import io.xfuser.models.internal.text.TokenIds;
import io.xfuser.weights.Share;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * A language model's last states of the prompt within an instruction, which is dropped. Prompts are
 * filled up with zeros to the longest of the request, and these are attended as text is; negative
 * ones likewise, by themselves. A mask tells what fills up the shorter of the two kinds.
 */
final class QwenImageTextEncoder extends TextTowers {
  /** The name of the hidden states (B, T, text width). */
  static final String EMBEDS = "prompt_embeds";

  /** The name of the mask (B, T) int64, 0 where nobody attends. */
  static final String MASK = "prompt_embeds_mask";

  /** What is asked of the model, and the tokens of it that are dropped. */
  private static final String TEMPLATE =
      "<|im_start|>system\n"
          + "Describe the image by detailing the color, shape, size, texture, quantity, text, spatial"
          + " relationships of the objects and background:<|im_end|>\n"
          + "<|im_start|>user\n%s<|im_end|>\n<|im_start|>assistant\n";

  private static final int DROPPED = 34;

  private final Optional<TextTower> tower;

  QwenImageTextEncoder(PipelineComponents components, Share share) {
    super(components, share);
    tower = tower("");
  }

  @Override
  public Map<String, NDArray> encode(NDManager owner, Texts texts, TextRequest request) {
    return tower.map(present -> encode(owner, present, texts, request)).orElseGet(Map::of);
  }

  private static Map<String, NDArray> encode(
      NDManager owner, TextTower tower, Texts texts, TextRequest request) {
    int positive = length(tower, request.prompts().positive(), request);
    int negative = length(tower, request.prompts().negative(), request);
    int longest = Math.max(positive, negative);
    TokenIds tokens = tokens(tower, texts.of(0), request);
    try (NDManager scope = owner.newSubManager()) {
      NDArray states = tower.inner(scope, tokens, List.of(-1), request.context()).get(0);
      NDArray embeds =
          QwenImage.PROGRAM.call(
              owner, "without_template", states, tokens.mask(scope), DROPPED, longest);
      return Map.of(EMBEDS, embeds, MASK, attended(texts, positive, negative).mask(owner));
    }
  }

  private static TokenIds tokens(TextTower tower, List<String> prompts, TextRequest request) {
    List<String> messages = prompts.stream().map(TEMPLATE::formatted).toList();
    int longest = DROPPED + request.options().maxSequenceLength();
    return tower.tokenizer().encode(messages, longest).trimmed();
  }

  /** Tokens of the longest of {@code prompts}, behind the instruction. */
  private static int length(TextTower tower, List<String> prompts, TextRequest request) {
    return prompts.isEmpty() ? 0 : tokens(tower, prompts, request).length() - DROPPED;
  }

  private static TokenIds attended(Texts texts, int positive, int negative) {
    int negatives = texts.of(0).size() - texts.positives();
    List<long[]> rows =
        Stream.concat(
                Collections.nCopies(texts.positives(), new long[positive]).stream(),
                Collections.nCopies(negatives, new long[negative]).stream())
            .toList();
    return TokenIds.pad(rows, Math.max(positive, negative), 0);
  }
}
