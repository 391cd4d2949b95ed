package io.xfuser.models.internal.text;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import java.util.List;

/**
 * A text encoder. It answers the questions that its provider's {@link TextModelProvider#abilities}
 * promise. Safe for use by several threads.
 */
public interface TextModel extends AutoCloseable {
  /**
   * The last hidden states (B, T, C): transformers' {@code last_hidden_state}. Those of padding
   * have no meaning.
   */
  default NDArray states(NDManager owner, TextInput input) {
    throw new UnsupportedOperationException(getClass() + " promises no last hidden states");
  }

  /**
   * One of the hidden states, and the pooled text.
   *
   * @param index as in transformers' {@code hidden_states[index]}: 0 is the embedding, i the output
   *     of layer i, −1 that of the last layer
   * @throws IllegalArgumentException if there is no such hidden state
   */
  default TextOutput layer(NDManager owner, TextInput input, int index) {
    throw new UnsupportedOperationException(getClass() + " promises no inner states");
  }

  /**
   * Some of the hidden states, each (B, T, C); with a mask those of padding, too, are of what they
   * see of the text.
   *
   * @param indices as {@link #layer}'s; layers after the last of them are not computed
   * @throws IllegalArgumentException if there is no such hidden state
   */
  default List<NDArray> inner(NDManager owner, TextInput input, List<Integer> indices) {
    throw new UnsupportedOperationException(getClass() + " promises no inner states");
  }

  /** The pooled text alone, (B, P). */
  default NDArray pooled(NDManager owner, TextInput input) {
    throw new UnsupportedOperationException(getClass() + " promises no pooled text");
  }

  /** Whether it heeds {@link TextInput#parts}; others are asked for each part by itself. */
  default boolean keepsApart() {
    return false;
  }

  /** Layers, of which {@link #layer} gives the outputs; 0 where it gives none. */
  default int layers() {
    return 0;
  }

  /**
   * The layers whose output hidden state {@code index} is.
   *
   * @throws IllegalArgumentException if there is no such hidden state
   */
  default int layersUpTo(int index) {
    int layers = index < 0 ? layers() + 1 + index : index;
    if (layers < 0 || layers > layers()) {
      throw new IllegalArgumentException(
          "there is no hidden state %d of %d layers".formatted(index, layers()));
    }
    return layers;
  }

  /** Bytes of all parameters that are here, mapped or copied. */
  long parameterBytes();

  @Override
  void close();
}
