package io.xfuser.transformer;

import io.xfuser.attention.Qkv;
import io.xfuser.torchscript.ElementType;
import io.xfuser.weights.Share;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

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

  /**
   * Vectors as wide as the model that are made of a timestep, the shifts, scales and gates of a
   * block for example. They are computed for several steps at once, and kept until the last of
   * these.
   *
   * @param vectors how many there are for a timestep
   * @param onGpu the same on a GPU, but not in fp16 nor of a share of a block
   * @param ofRows whether each row of a batch has its own; false: all share those of the timestep
   * @param type what they are in; null: the run's type
   */
  record Modulations(int vectors, int onGpu, boolean ofRows, @Nullable ElementType type) {
    /** Nothing is kept. */
    public static final Modulations NONE = shared(0);

    /**
     * So many rows are computed at once, with those of a batch counting for each step: a product of
     * as few takes as long as one of a single row, the time in which its weights are read. 34 MB in
     * bf16 for 57 blocks of width 3072.
     */
    public static final int ROWS = 16;

    /** So many for a timestep. */
    public static Modulations shared(int vectors) {
      return new Modulations(vectors, vectors, false, null);
    }

    /** So many for each row of a batch. */
    public static Modulations ofRows(int vectors) {
      return new Modulations(vectors, vectors, true, null);
    }

    /** The same in {@code type}, whatever the run's is. */
    public Modulations in(ElementType type) {
      return new Modulations(vectors, onGpu, ofRows, type);
    }

    /** The same with so many in all on a GPU. */
    public Modulations onGpu(int vectorsThere) {
      return new Modulations(vectors, vectorsThere, ofRows, type);
    }

    /** Steps whose modulations are computed together, of batches of {@code rows}. */
    public static int together(long rows) {
      return Math.toIntExact(Math.max(1, ROWS / rows));
    }

    /**
     * What is kept of a request.
     *
     * @param width of the model
     * @param batch its rows
     * @param steps that the request has
     * @param run the run's type
     * @param gpu whether whole blocks are on a GPU
     */
    public double bytes(long width, long batch, int steps, ElementType run, boolean gpu) {
      long rows = ofRows ? batch : 1;
      int kept = gpu && run != ElementType.FLOAT16 ? onGpu : vectors;
      double elements = (double) kept * width * rows * Math.min(together(rows), steps);
      return elements * (type == null ? run : type).bytes();
    }
  }
}
