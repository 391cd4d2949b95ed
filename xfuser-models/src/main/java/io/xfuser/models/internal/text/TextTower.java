package io.xfuser.models.internal.text;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.failure.ModelException;
import io.xfuser.model.PipelineComponents;
import java.util.List;

/**
 * A tokenizer and the text encoder that takes its ids.
 *
 * @param <E> the encoder's class
 */
public record TextTower<E extends TextModel>(Tokenizer tokenizer, E encoder)
    implements AutoCloseable {
  /**
   * Opens the components {@code tokenizer} and {@code text_encoder} of a pipeline.
   *
   * @param suffix of the components' names, {@code _2} for example
   * @throws ModelException if one of them cannot be used; nothing stays open then
   */
  public static <E extends TextModel> TextTower<E> open(
      PipelineComponents components, String suffix, Opener<E> opening) {
    String name = "tokenizer" + suffix;
    Tokenizer tokenizer = Tokenizers.open(components.folder(name), components.className(name));
    try {
      EncoderFolder folder = EncoderFolder.of(components, "text_encoder" + suffix);
      return new TextTower<>(tokenizer, opening.open(folder));
    } catch (RuntimeException e) {
      tokenizer.close();
      throw e;
    }
  }

  /** The ids (B, T) of texts that are cut or padded to T tokens, int64. */
  public NDArray ids(NDManager owner, List<String> texts, int tokens) {
    return tokenizer.encode(texts, tokens).ids(owner);
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

  /**
   * Opens an encoder.
   *
   * @param <E> its class
   */
  @FunctionalInterface
  public interface Opener<E> {
    /** The encoder in {@code folder}. */
    E open(EncoderFolder folder);
  }
}
