package io.xfuser.models.internal.text;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.model.PipelineComponents;
import io.xfuser.model.TextEncoder;
import io.xfuser.model.TextRequest;
import io.xfuser.weights.Share;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Cleans captions, tokenizes them and encodes them with T5, padded to the longest length allowed.
 */
public final class T5Captions implements TextEncoder {
  /** The name of T5's last hidden states (B, T, text width). */
  public static final String EMBEDS = "prompt_embeds";

  /** The name of the mask (B, T) int64, 1 where text is. */
  public static final String MASK = "prompt_attention_mask";

  private final TextTower<T5Encoder> tower;

  private T5Captions(TextTower<T5Encoder> tower) {
    this.tower = tower;
  }

  /** Loads {@code tokenizer} and {@code share} of {@code text_encoder}. */
  public static T5Captions open(PipelineComponents components, Share share) {
    return new T5Captions(TextTower.open(components, "", T5Encoder.opening(share)));
  }

  /** The classes of a pipeline's components that this reads, and those of its transformer. */
  public static Map<String, Set<String>> classes(Set<String> transformers) {
    return Map.of(
        "tokenizer",
        TextComponents.T5_TOKENIZERS,
        "text_encoder",
        TextComponents.T5_ENCODERS,
        "transformer",
        transformers);
  }

  @Override
  public Map<String, NDArray> encode(NDManager owner, TextRequest request) {
    return request.perPrompt(owner, this::encode);
  }

  private Map<String, NDArray> encode(NDManager owner, List<String> prompts, TextRequest request) {
    TokenIds tokens = tokens(prompts, request.options());
    NDArray mask = tokens.mask(owner); // (B, T)
    NDArray ids = tokens.ids(owner);
    NDArray states = tower.encoder().encode(owner, ids, mask, request.context());
    return Map.of(EMBEDS, states, MASK, mask);
  }

  /** The tokens of {@code prompts}. */
  public TokenIds tokens(List<String> prompts, TextOptions options) {
    List<String> captions =
        prompts.stream()
            .map(options.cleanCaption() ? CaptionCleaner::clean : CaptionCleaner::lowerCase)
            .toList();
    return tower.tokenizer().encode(captions, options.maxSequenceLength());
  }

  @Override
  public long parameterBytes() {
    return tower.encoder().parameterBytes();
  }

  @Override
  public void close() {
    tower.close();
  }
}
