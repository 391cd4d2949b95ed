package io.xfuser.models.internal.text;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.failure.ModelException;
import io.xfuser.model.PipelineComponents;
import io.xfuser.transformer.BlockContext;
import io.xfuser.weights.Share;
import java.util.List;

/** A tokenizer and the text encoder that takes its ids. */
public record TextTower(Tokenizer tokenizer, TextModel encoder) implements AutoCloseable {
  /**
   * Opens the components {@code tokenizer} and {@code text_encoder} of a pipeline.
   *
   * @param suffix of the components' names, {@code _2} for example
   * @param share of the encoder
   * @throws ModelException if one of them cannot be used; nothing stays open then
   */
  static TextTower open(PipelineComponents components, String suffix, Share share) {
    String name = TextComponents.TOKENIZER + suffix;
    Tokenizer tokenizer = Tokenizers.open(components.folder(name), components.className(name));
    try {
      return new TextTower(
          tokenizer, TextComponents.open(components, TextComponents.ENCODER + suffix, share));
    } catch (RuntimeException e) {
      tokenizer.close();
      throw e;
    }
  }

  /** The ids (B, T) of texts that are cut or padded to T tokens, int64. */
  public NDArray ids(NDManager owner, List<String> texts, int tokens) {
    return tokenizer.encode(texts, tokens).ids(owner);
  }

  /** The last hidden states (B, T, C) of texts that are cut or padded, padding being as text is. */
  public NDArray states(NDManager owner, List<String> texts, int tokens, BlockContext context) {
    return encoder.states(owner, new TextInput(ids(owner, texts, tokens), null, context));
  }

  /** The same without the padding, of which the mask tells. */
  public NDArray states(NDManager owner, TokenIds tokens, BlockContext context) {
    return encoder.states(owner, new TextInput(tokens.ids(owner), tokens.mask(owner), context));
  }

  /** The most tokens that the tokenizer's files allow, or {@code published} where they say none. */
  public int limit(int published) {
    return tokenizer.modelMaxLength().orElse(published);
  }

  @Override
  public void close() {
    encoder.close();
    tokenizer.close();
  }
}
