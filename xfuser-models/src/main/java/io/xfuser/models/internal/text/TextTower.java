package io.xfuser.models.internal.text;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import io.xfuser.failure.ModelException;
import io.xfuser.model.PipelineComponents;
import io.xfuser.model.TextRequest;
import io.xfuser.torchscript.Torch;
import io.xfuser.transformer.BlockContext;
import io.xfuser.weights.Share;
import java.nio.file.Path;
import java.util.ArrayList;
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

  /** Texts that are cut or padded to T tokens, padding being as text is; in parts as asked for. */
  public TextInput input(NDManager owner, List<String> texts, int tokens, TextRequest request) {
    NDArray ids = ids(owner, texts, tokens);
    return new TextInput(ids, null, request.context()).in(request.parts());
  }

  /** The last hidden states (B, T, C) of texts that are cut or padded, padding being as text is. */
  public NDArray states(NDManager owner, List<String> texts, int tokens, TextRequest request) {
    return states(owner, input(owner, texts, tokens, request));
  }

  /** The same without the padding, of which the mask tells. */
  public NDArray states(NDManager owner, TokenIds tokens, TextRequest request) {
    NDArray ids = limits.check(tokens).ids(owner);
    TextInput input = new TextInput(ids, tokens.mask(owner), request.context());
    return states(owner, input.in(request.parts()));
  }

  private NDArray states(NDManager owner, TextInput input) {
    return ask(owner, input, (to, part) -> new NDList(encoder.states(to, part))).get(0);
  }

  /** One of the hidden states (B, T, C), and the pooled texts (B, P). */
  public TextOutput layer(NDManager owner, TextInput input, int index) {
    NDList both =
        ask(
            owner,
            input,
            (to, part) -> {
              TextOutput output = encoder.layer(to, part, index);
              return new NDList(output.pooled(), output.hidden());
            });
    return new TextOutput(both.get(0), both.get(1));
  }

  /** The pooled texts alone, (B, P). */
  public NDArray pooled(NDManager owner, TextInput input) {
    return ask(owner, input, (to, part) -> new NDList(encoder.pooled(to, part))).get(0);
  }

  /** What the encoder is asked. */
  private interface Question {
    NDList of(NDManager owner, TextInput input);
  }

  /** All parts at once of an encoder that keeps them apart, else one after another. */
  private NDList ask(NDManager owner, TextInput input, Question question) {
    if (input.parts() == 1 || encoder.keepsApart()) {
      return question.of(owner, input);
    }
    try (NDManager scope = owner.newSubManager()) {
      List<NDList> all = new ArrayList<>();
      for (int i = 0; i < input.parts(); i++) {
        all.add(question.of(scope, input.part(scope, i)));
      }
      NDList joined = new NDList();
      for (int i = 0; i < all.get(0).size(); i++) {
        int answer = i;
        joined.add(Torch.concat(owner, all.stream().map(each -> each.get(answer)).toList(), 0));
      }
      return joined;
    }
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
    return encoder.inner(owner, new TextInput(ids, null, text.pictures(), context, 1), layers);
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
