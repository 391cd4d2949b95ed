package io.xfuser.models.internal.text;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.failure.ModelException;
import io.xfuser.model.PipelineComponents;
import io.xfuser.transformer.BlockContext;
import io.xfuser.weights.Share;
import java.nio.file.Path;
import java.util.List;

/**
 * A tokenizer and the text encoder that takes its ids.
 *
 * @param limits which of them it takes
 */
public record TextTower(Tokenizer tokenizer, TextModel encoder, Limits limits)
    implements AutoCloseable {
  /**
   * The ids that an encoder takes.
   *
   * @param tokenizer where they come from, for messages
   * @param encoder where its settings are from
   * @param vocabulary what they are less than
   */
  record Limits(Path tokenizer, String encoder, int vocabulary) {
    static Limits of(PipelineComponents components, String tokenizer, String encoder) {
      return new Limits(
          components.folder(tokenizer),
          components.config(encoder, EncoderFolder.CONFIG).origin(),
          TextComponents.sizes(components, encoder).vocabulary());
    }

    TokenIds check(TokenIds tokens) {
      if (tokens.largest() >= vocabulary) {
        throw new ModelException(
            "%s: a text has the token %d, but %s: vocab_size is %d"
                .formatted(tokenizer, tokens.largest(), encoder, vocabulary));
      }
      return tokens;
    }
  }

  /**
   * Opens the components {@code tokenizer} and {@code text_encoder} of a pipeline.
   *
   * @param suffix of the components' names, {@code _2} for example
   * @param share of the encoder
   * @throws ModelException if one of them cannot be used; nothing stays open then
   */
  static TextTower open(PipelineComponents components, String suffix, Share share) {
    String name = TextComponents.TOKENIZER + suffix;
    String encoder = TextComponents.ENCODER + suffix;
    Limits limits = Limits.of(components, name, encoder);
    Tokenizer tokenizer = Tokenizers.open(components.folder(name), components.className(name));
    try {
      return new TextTower(tokenizer, TextComponents.open(components, encoder, share), limits);
    } catch (RuntimeException e) {
      tokenizer.close();
      throw e;
    }
  }

  /**
   * The ids (B, T) of texts that are cut or padded to T tokens, int64.
   *
   * @throws ModelException if the encoder has not so many
   */
  public NDArray ids(NDManager owner, List<String> texts, int tokens) {
    return limits.check(tokenizer.encode(texts, tokens)).ids(owner);
  }

  /** The last hidden states (B, T, C) of texts that are cut or padded, padding being as text is. */
  public NDArray states(NDManager owner, List<String> texts, int tokens, BlockContext context) {
    return encoder.states(owner, new TextInput(ids(owner, texts, tokens), null, context));
  }

  /** The same without the padding, of which the mask tells. */
  public NDArray states(NDManager owner, TokenIds tokens, BlockContext context) {
    return encoder.states(
        owner, new TextInput(limits.check(tokens).ids(owner), tokens.mask(owner), context));
  }

  /** Some of the inner states (B, T, C) of a model that is asked without a mask. */
  public List<NDArray> inner(
      NDManager owner, TokenIds tokens, List<Integer> layers, BlockContext context) {
    return encoder.inner(
        owner, new TextInput(limits.check(tokens).ids(owner), null, context), layers);
  }

  /**
   * Some of the inner states (B, T, C) of texts that are cut or padded to T tokens, on the side
   * that the tokenizer's settings say. The model looks at no padding, but padding has states too.
   */
  public List<NDArray> padded(
      NDManager owner, List<String> texts, int tokens, List<Integer> layers, BlockContext context) {
    TokenIds right = limits.check(tokenizer.encode(texts, tokens));
    TokenIds ids = tokenizer.padsLeft() ? right.paddedLeft() : right;
    return encoder.inner(owner, new TextInput(ids.ids(owner), ids.mask(owner), context), layers);
  }

  /** The same with pictures among the tokens. */
  public List<NDArray> inner(
      NDManager owner, ReadPictures.Text text, List<Integer> layers, BlockContext context) {
    NDArray ids = limits.check(text.tokens()).ids(owner);
    return encoder.inner(owner, new TextInput(ids, null, text.pictures(), context), layers);
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
