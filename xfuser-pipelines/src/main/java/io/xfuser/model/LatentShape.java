package io.xfuser.model;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.xfuser.nn.Patchify;
import io.xfuser.nn.Sequence.Axes;

/**
 * The latents of one picture or video, and how diffusers lays them out.
 *
 * @param channels c
 * @param frames F, 1 for a picture
 * @param height h
 * @param width w
 * @param patch the latents of a token
 * @param layout what callers see
 * @param pixelFrames frames of the video that they are decoded to; often F
 * @param fps how many of these its file shows in a second where nothing else is asked for
 * @param padding of the frames so many in front fill up tokens, and are not decoded
 */
public record LatentShape(
    int channels,
    int frames,
    int height,
    int width,
    Patchify patch,
    Layout layout,
    int pixelFrames,
    int fps,
    int padding) {
  /** As xDiT's example plays Latte's videos. */
  private static final int USUAL_FPS = 8;

  /** One that is decoded frame by frame. */
  public LatentShape(
      int channels, int frames, int height, int width, Patchify patch, Layout layout) {
    this(channels, frames, height, width, patch, layout, frames, USUAL_FPS, 0);
  }

  /** Layouts of latents outside the loop. */
  public enum Layout {
    /** (B, c, h, w). */
    PICTURE,
    /** (B, c, F, h, w), whose tokens attend one another. */
    VIDEO,
    /** (B, F, c, h, w), whose tokens attend one another. */
    CLIP,
    /** (B, c, F, h, w), each frame a sequence of its own. */
    FRAMES,
    /** (B, L, c·n), though noise is drawn as for a picture. */
    PACKED
  }

  /** A picture's. */
  public static LatentShape picture(int channels, int height, int width, int patchSize) {
    return new LatentShape(channels, 1, height, width, new Patchify(patchSize), Layout.PICTURE);
  }

  /** The same, decoded to so many frames. */
  public LatentShape decodedTo(int others) {
    return decodedTo(others, fps);
  }

  /** The same, decoded to so many frames, of which {@code perSecond} are shown in a second. */
  public LatentShape decodedTo(int others, int perSecond) {
    return new LatentShape(
        channels, frames, height, width, patch, layout, others, perSecond, padding);
  }

  /** The same, of whose frames so many in front are not decoded. */
  public LatentShape padded(int others) {
    return new LatentShape(
        channels, frames, height, width, patch, layout, pixelFrames, fps, others);
  }

  /** The frames that are decoded. */
  public int decodableFrames() {
    return frames - padding;
  }

  /** Whether it is one with frames, be they one. */
  public boolean isVideo() {
    return layout == Layout.VIDEO || layout == Layout.CLIP || layout == Layout.FRAMES;
  }

  /** The sequences of tokens of one picture or video: rows of every batch. */
  public int sequences() {
    return layout == Layout.FRAMES ? frames : 1;
  }

  /** The tokens of one sequence. */
  public Axes axes() {
    return new Axes(
        frames / sequences() / patch.frames(), height / patch.side(), width / patch.side());
  }

  /** The shape of noise for {@code images} pictures. */
  public Shape noise(int images) {
    if (layout == Layout.CLIP) {
      return new Shape(images, frames, channels, height, width);
    }
    return isVideo()
        ? new Shape(images, channels, frames, height, width)
        : new Shape(images, channels, height, width);
  }

  /** The shape of the latents of {@code images} pictures as callers see them. */
  public Shape shape(int images) {
    return layout == Layout.PACKED
        ? new Shape(images, axes().tokens(), (long) channels * patch.size())
        : noise(images);
  }

  /** Drawn noise, or latents as callers see them, to tokens (B·S, L, n·c) of S sequences each. */
  public NDArray tokens(NDManager owner, NDArray latents) {
    if (latents.getShape().dimension() == 3) {
      return patch.unpacked(owner, latents);
    }
    try (NDManager scope = owner.newSubManager()) {
      return switch (layout) {
        case FRAMES -> patch.tokens(owner, Patchify.frames(scope, latents));
        case CLIP -> patch.tokens(owner, Patchify.swapped(scope, latents));
        default -> patch.tokens(owner, latents);
      };
    }
  }

  /** Tokens (B·S, L, n·c) to what the decoder takes, (B·F, c, h, w) of the frames to decode. */
  public NDArray decodable(NDManager owner, NDArray tokens) {
    if (padding == 0) {
      return all(owner, tokens);
    }
    try (NDManager scope = owner.newSubManager()) {
      return Patchify.later(owner, all(scope, tokens), frames, padding);
    }
  }

  private NDArray all(NDManager owner, NDArray tokens) {
    return patch.latents(owner, tokens, height, width); // (B·F, c, h, w)
  }

  /** Tokens (B·S, L, n·c) to latents as callers see them. */
  public NDArray visible(NDManager owner, NDArray tokens) {
    if (layout == Layout.PACKED) {
      return patch.packed(owner, tokens);
    }
    if (!isVideo()) {
      return all(owner, tokens);
    }
    try (NDManager scope = owner.newSubManager()) {
      NDArray each = all(scope, tokens);
      return layout == Layout.CLIP
          ? Patchify.swapped(owner, Patchify.video(scope, each, frames))
          : Patchify.video(owner, each, frames);
    }
  }
}
