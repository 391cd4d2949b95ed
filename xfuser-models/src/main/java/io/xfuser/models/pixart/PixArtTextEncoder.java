package io.xfuser.models.pixart;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.models.text.CaptionCleaner;
import io.xfuser.models.text.T5Encoder;
import io.xfuser.models.text.T5Tokenizer;
import io.xfuser.models.text.TokenIds;
import io.xfuser.pipeline.PipelineComponents;
import io.xfuser.pipeline.TextEncoder;
import io.xfuser.pipeline.TextRequest;
import java.util.List;
import java.util.Map;

/**
 * Cleans captions, tokenizes them and encodes them with T5, padded to the longest length allowed.
 */
final class PixArtTextEncoder implements TextEncoder {
  /** The name of T5's last hidden states (B, T, text width). */
  static final String EMBEDS = "prompt_embeds";

  /** The name of the mask (B, T), 1 where text is. */
  static final String MASK = "prompt_attention_mask";

  private final T5Tokenizer tokenizer;
  private final T5Encoder encoder;

  PixArtTextEncoder(PipelineComponents components) {
    this.tokenizer = T5Tokenizer.open(components.folder("tokenizer"));
    try {
      this.encoder =
          T5Encoder.open(
              components.folder("text_encoder"), components.type(), components.variant());
    } catch (RuntimeException e) {
      tokenizer.close();
      throw e;
    }
  }

  @Override
  public Map<String, NDArray> encode(NDManager owner, TextRequest request) {
    return request.perPrompt(owner, (scope, prompts) -> encode(scope, prompts, request.options()));
  }

  private Map<String, NDArray> encode(NDManager owner, List<String> prompts, Options options) {
    List<String> captions =
        prompts.stream()
            .map(options.cleanCaption() ? CaptionCleaner::clean : CaptionCleaner::lowerCase)
            .toList();
    TokenIds tokens = tokenizer.encode(captions, options.maxSequenceLength());
    NDArray mask = tokens.mask(owner); // (B, T)
    return Map.of(EMBEDS, encoder.encode(owner, tokens.ids(owner), mask), MASK, mask);
  }

  @Override
  public long parameterBytes() {
    return encoder.parameterBytes();
  }

  @Override
  public void close() {
    encoder.close();
    tokenizer.close();
  }
}
