package io.xfuser.nn;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.torchscript.Program;
import java.util.List;

/**
 * Latents (B, c, h, w) as tokens (B, L, p·p·c) and back: token i is the square of p by p latents at
 * row i / (w/p) and column i % (w/p), its values ordered by row, column, channel.
 *
 * @param patchSize p
 */
public record Patchify(int patchSize) {
  private static final Program PROGRAM = Program.load(Patchify.class, "patchify.py");

  /** Latents (B, c, h, w) to tokens (B, L, p·p·c). */
  public NDArray tokens(NDManager owner, NDArray latents) {
    return PROGRAM.call(owner, "patchify", latents, patchSize);
  }

  /**
   * Tokens (B, L, p·p·c) to latents (B, c, h, w).
   *
   * @param height h, in latents
   * @param width w, in latents
   */
  public NDArray latents(NDManager owner, NDArray tokens, int height, int width) {
    return PROGRAM.call(owner, "unpatchify", tokens, patchSize, height, width);
  }

  /** Tokens (B, L, p·p·c) with the values of each in the order channel, row, column instead. */
  public NDArray packed(NDManager owner, NDArray tokens) {
    return PROGRAM.call(owner, "packed", tokens, patchSize);
  }

  /** Undoes {@link #packed}; also for the columns of a weight (C, c·p·p) on packed tokens. */
  public NDArray unpacked(NDManager owner, NDArray tokens) {
    return PROGRAM.call(owner, "unpacked", tokens, patchSize);
  }

  /** The rows of a weight or bias (c·p·p, …) that makes packed tokens, in the order of tokens. */
  public NDArray unpackedRows(NDManager owner, NDArray rows) {
    return PROGRAM.call(owner, "unpacked_rows", rows, patchSize);
  }

  /** The weight of a convolution (C, c, p, p) as that of a linear layer on tokens, (C, p·p·c). */
  public static NDArray embeddingWeight(NDManager owner, NDArray convolution) {
    return PROGRAM.call(owner, "embedding_weight", convolution);
  }

  /**
   * The rows of an output projection without those of learned variances: weight or bias (p·p·out,
   * …) to (p·p·c, …).
   *
   * @param channels c, the first of the out channels
   */
  public NDArray headRows(NDManager owner, NDArray rows, int channels) {
    return PROGRAM.call(owner, "head_rows", rows, patchSize * patchSize, channels);
  }

  /** A video (B, c, F, h, w) to its frames (B·F, c, h, w). */
  public static NDArray frames(NDManager owner, NDArray video) {
    return PROGRAM.call(owner, "frames", video);
  }

  /** Frames (B·F, c, h, w) to videos (B, c, F, h, w). */
  public static NDArray video(NDManager owner, NDArray frames, int count) {
    return PROGRAM.call(owner, "video", frames, count);
  }

  /** The tokens at {@code positions}: (B, L, C) to (B, l, C). */
  public static NDArray select(NDManager owner, NDArray tokens, long[] positions) {
    return PROGRAM.call(owner, "select", tokens, positions);
  }

  /** Undoes {@link #select}: the shards' tokens (B, l, C), put at their positions in (B, L, C). */
  public static NDArray assemble(NDManager owner, List<NDArray> shards, TokenLayout layout) {
    long[] positions = new long[layout.tokens()];
    int next = 0;
    for (int shard = 0; shard < layout.shards(); shard++) {
      for (long position : layout.positions(shard)) {
        positions[next++] = position;
      }
    }
    return PROGRAM.call(owner, "assemble", shards, positions);
  }
}
