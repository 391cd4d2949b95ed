package io.xfuser.models.internal.text;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.model.PipelineComponents;
import io.xfuser.model.TextEncoder;
import io.xfuser.model.TextRequest;
import io.xfuser.model.TextRequest.Texts;
import io.xfuser.weights.Share;
import java.util.List;
import java.util.Map;

/**
 * Cleans captions, tokenizes them and encodes them with one text encoder, padded to the longest
 * length allowed; padding is masked.
 */
public final class Captions implements TextEncoder {
  /** The name of the last hidden states (B, T, text width). */
  public static final String EMBEDS = "prompt_embeds";

  /** The name of the mask (B, T) int64, 1 where text is. */
  public static final String MASK = "prompt_attention_mask";

  private final TextTower tower;

  private Captions(TextTower tower) {
    this.tower = tower;
  }

  /** Loads {@code tokenizer} and {@code share} of {@code text_encoder}. */
  public static Captions open(PipelineComponents components, Share share) {
    return new Captions(TextTower.open(components, "", share));
  }

  @Override
  public Map<String, NDArray> encode(NDManager owner, TextRequest request) {
    return request.perPrompt(owner, this::encode);
  }

  private Map<String, NDArray> encode(NDManager owner, Texts texts, TextRequest request) {
    TokenIds tokens = tokens(texts.of(0), request.options());
    NDArray states = tower.states(owner, tokens, request); // (B, T, text width)
    return Map.of(EMBEDS, states, MASK, tokens.mask(owner));
  }

  public TokenIds tokens(List<String> prompts, TextOptions options) {
    List<String> captions =
        prompts.stream()
            .map(options.cleanCaption() ? CaptionCleaner::clean : CaptionCleaner::lowerCase)
            .toList();
    return tower.tokenizer().encode(captions, options.maxSequenceLength());
  }

  @Override
  public boolean keepsApart() {
    return true;
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
