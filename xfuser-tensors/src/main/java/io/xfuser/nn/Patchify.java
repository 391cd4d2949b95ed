package io.xfuser.nn;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.torchscript.Program;
import java.util.List;

/**
 * Latents (B, c, F, h, w) as tokens (B, L, n·c) and back. A token is a block of f frames of p by p
 * latents, n = f·p·p of them, its values ordered by frame, row, column, channel; tokens are ordered
 * by frame, row, column too. Pictures (B, c, h, w) have one frame.
 *
 * @param frames f
 * @param side p
 */
public record Patchify(int frames, int side) {
  static final Program PROGRAM = Program.load(Patchify.class, "patchify.py");

  /** Of a picture, or of each frame for itself. */
  public Patchify(int side) {
    this(1, side);
  }

  /** n, the latents of a token in one channel. */
  public int size() {
    return frames * side * side;
  }

  /** Latents (B, c, F, h, w) or (B, c, h, w) to tokens (B, L, n·c). */
  public NDArray tokens(NDManager owner, NDArray latents) {
    return PROGRAM.call(owner, "patchify", latents, frames, side);
  }

  /**
   * Tokens (B, L, n·c) to latents (B·F, c, h, w).
   *
   * @param height h, in latents
   * @param width w, in latents
   */
  public NDArray latents(NDManager owner, NDArray tokens, int height, int width) {
    return PROGRAM.call(owner, "unpatchify", tokens, frames, side, height, width);
  }

  /** Tokens (B, L, n·c) with the values of each in the order channel, row, column instead. */
  public NDArray packed(NDManager owner, NDArray tokens) {
    return PROGRAM.call(owner, "packed", tokens, size());
  }

  /** Undoes {@link #packed}; also for the columns of a weight (C, c·n) on packed tokens. */
  public NDArray unpacked(NDManager owner, NDArray tokens) {
    return PROGRAM.call(owner, "unpacked", tokens, size());
  }

  /** The rows of a weight or bias (c·n, …) that makes packed tokens, in the order of tokens. */
  public NDArray unpackedRows(NDManager owner, NDArray rows) {
    return PROGRAM.call(owner, "unpacked_rows", rows, size());
  }

  /**
   * The weight of a convolution (C, c, p, p) or (C, c, f, p, p) as that of a linear layer on
   * tokens, (C, n·c).
   */
  public static NDArray embeddingWeight(NDManager owner, NDArray convolution) {
    return PROGRAM.call(owner, "embedding_weight", convolution);
  }

  /**
   * The rows of an output projection without those of learned variances: weight or bias (n·out, …)
   * to (n·c, …).
   *
   * @param channels c, the first of the out channels
   */
  public NDArray headRows(NDManager owner, NDArray rows, int channels) {
    return PROGRAM.call(owner, "head_rows", rows, size(), channels);
  }

  /** A video (B, c, F, h, w) to its frames (B·F, c, h, w). */
  public static NDArray frames(NDManager owner, NDArray video) {
    return PROGRAM.call(owner, "frames", video);
  }

  /** Frames (B·F, c, h, w) to videos (B, c, F, h, w). */
  public static NDArray video(NDManager owner, NDArray frames, int count) {
    return PROGRAM.call(owner, "video", frames, count);
  }

  /** A video (B, c, F, h, w) as (B, F, c, h, w), or the other way round. */
  public static NDArray swapped(NDManager owner, NDArray video) {
    return PROGRAM.call(owner, "swapped", video);
  }

  /** Frames (B·F, c, h, w), {@code count} of a video, without the first {@code others} of each. */
  public static NDArray later(NDManager owner, NDArray frames, int count, int others) {
    return PROGRAM.call(owner, "later", frames, count, others);
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
