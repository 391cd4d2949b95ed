package io.xfuser.model;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.xfuser.nn.Patchify;
import io.xfuser.transformer.ConditionInput.Grid;

/**
 * The latents of one picture or video, and how diffusers lays them out.
 *
 * @param channels c
 * @param frames F, 1 for a picture
 * @param height h
 * @param width w
 * @param patchSize p, latents along each side of a token
 * @param layout what callers see
 */
public record LatentShape(
    int channels, int frames, int height, int width, int patchSize, Layout layout) {
  /** Layouts of latents outside the loop. */
  public enum Layout {
    /** (B, c, h, w). */
    PICTURE,
    /** (B, c, F, h, w). */
    VIDEO,
    /** (B, L, c·p·p), though noise is drawn as for a picture. */
    PACKED
  }

  /** A picture's. */
  public static LatentShape picture(int channels, int height, int width, int patchSize) {
    return new LatentShape(channels, 1, height, width, patchSize, Layout.PICTURE);
  }

  /** Rows and columns of tokens. */
  public Grid grid() {
    return new Grid(height / patchSize, width / patchSize);
  }

  /** The shape of noise for {@code images} pictures. */
  public Shape noise(int images) {
    return layout == Layout.VIDEO
        ? new Shape(images, channels, frames, height, width)
        : new Shape(images, channels, height, width);
  }

  /** The shape of the latents of {@code images} pictures as callers see them. */
  public Shape shape(int images) {
    return layout == Layout.PACKED
        ? new Shape(images, grid().tokens(), (long) channels * patchSize * patchSize)
        : noise(images);
  }

  /** Drawn noise, or latents as callers see them, to tokens (B·F, L, c·p·p). */
  public NDArray tokens(NDManager owner, NDArray latents) {
    Patchify patchify = new Patchify(patchSize);
    int dimensions = latents.getShape().dimension();
    if (dimensions == 3) {
      return patchify.unpacked(owner, latents);
    }
    try (NDManager scope = owner.newSubManager()) {
      return patchify.tokens(owner, dimensions == 5 ? Patchify.frames(scope, latents) : latents);
    }
  }

  /** Tokens (B·F, L, c·p·p) to what the decoder takes, (B·F, c, h, w). */
  public NDArray decodable(NDManager owner, NDArray tokens) {
    return new Patchify(patchSize).latents(owner, tokens, height, width);
  }

  /** Tokens (B·F, L, c·p·p) to latents as callers see them. */
  public NDArray visible(NDManager owner, NDArray tokens) {
    if (layout == Layout.PACKED) {
      return new Patchify(patchSize).packed(owner, tokens);
    }
    try (NDManager scope = owner.newSubManager()) {
      return layout == Layout.VIDEO
          ? Patchify.video(owner, decodable(scope, tokens), frames)
          : decodable(owner, tokens);
    }
  }
}
