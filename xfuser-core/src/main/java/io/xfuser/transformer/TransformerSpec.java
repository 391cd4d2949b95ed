package io.xfuser.transformer;

import io.xfuser.attention.Qkv;
import io.xfuser.weights.Share;
import java.util.OptionalInt;

/**
 * A diffusion transformer, described once; every parallel strategy runs this description. Each part
 * is loaded when it is asked for, so a rank loads what it owns. Parts are closed by whoever asked.
 *
 * @param <C> the model's conditioning
 */
public interface TransformerSpec<C> {
  /** The number of blocks. */
  int depth();

  /** The number of attention heads. */
  int heads();

  /** The width of an attention head. */
  int headSize();

  /** Self-attentions over all image tokens in block {@code index}. */
  default int attentions(int index) {
    return 1;
  }

  /** Sums over all tokens in block {@code index}. */
  default int sums(int index) {
    return 0;
  }

  /** How often block {@code index} asks for the neighbours of its tokens. */
  default int neighbours(int index) {
    return 0;
  }

  /**
   * The earlier block whose output block {@code index} reads too, for transformers with long skip
   * connections.
   */
  default OptionalInt skipFrom(int index) {
    return OptionalInt.empty();
  }

  /** Whether the first block says what it makes of its input: {@link Block#modulated}. */
  default boolean modulates() {
    return false;
  }

  /** Whether blocks have values before they are done with queries and keys: {@link Qkv#before}. */
  default boolean valuesFirst() {
    return false;
  }

  /** The shifts, scales and gates that block {@code index} keeps from step to step. */
  default Modulations modulations(int index) {
    return Modulations.NONE;
  }

  /** What blocks read of a timestep that all of them have in common, kept as modulations are. */
  default Modulations commonModulations() {
    return Modulations.NONE;
  }

  /**
   * Elements that block {@code index} keeps of pictures that are prompts, at least, in requests
   * that have some; it holds as much again as a query has of each token while it attends.
   *
   * @param rows of the batch
   */
  default long shown(int index, long rows) {
    return 0;
  }

  /** Loads {@code share} of block {@code index}: its part of every width that ranks share out. */
  Block<C> block(int index, Share share);

  /** Loads what turns tokens into hidden states. */
  Embedding<C> embedding();

  /** Loads what turns hidden states into the prediction. */
  Head<C> head();

  /** Loads what every block's conditioning needs. */
  Conditioner<C> conditioner();
}
