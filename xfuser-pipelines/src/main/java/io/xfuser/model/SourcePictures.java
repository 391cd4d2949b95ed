package io.xfuser.model;

import io.xfuser.internal.picture.Bitmap;
import io.xfuser.internal.picture.Overlay;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The picture that all pictures of a request are made from besides noise, in the size in which they
 * are drawn, and what becomes of it.
 *
 * @param image red, green and blue; samples begin with its latents, noised, but for videos that it
 *     is a frame of
 * @param mask 255 where the picture is drawn anew, 0 where it stays; null = everywhere anew
 * @param keeps whether samples are put back to the noised picture after each step where the mask is
 *     0: any transformer can repaint so
 * @param shows whether the transformer sees the picture without what the mask covers, and the mask,
 *     beside the latents of each token: it is trained to repaint
 * @param drawn whether the autoencoder gives distributions, of which latents are drawn by the
 *     request's generators: those of the picture first, those that are shown after the noise
 * @param unshifted whether the decoder leaves out the shift of latents, as one of diffusers' loops
 *     does
 * @param drawing whether the loop draws noise for what it keeps even where latents are given; these
 *     are refused then
 * @param overlay how what was drawn is put back into the picture it was cut out of; null = it is
 *     all
 * @param frames how a video is made of it; null = it is no frame of one
 */
public record SourcePictures(
    Bitmap image,
    @Nullable Bitmap mask,
    boolean keeps,
    boolean shows,
    boolean drawn,
    boolean unshifted,
    boolean drawing,
    @Nullable Overlay overlay,
    @Nullable SourceFrames frames) {
  /** Checks that what looks at the mask has one. */
  public SourcePictures {
    if (mask == null && (keeps || shows)) {
      throw new IllegalArgumentException("there is no mask to keep or show anything by");
    }
  }

  /** The first frame of a video, whose samples begin with noise. */
  public static SourcePictures video(Bitmap first, SourceFrames frames) {
    return new SourcePictures(first, null, false, false, false, false, false, null, frames);
  }

  /** Frames of a video's latents that stay as they are given. */
  public int still() {
    return frames != null && frames.stays() ? 1 : 0;
  }

  /** The pictures that the text encoder reads with every prompt. */
  public List<Bitmap> read() {
    return frames == null ? List.of() : frames.read();
  }

  /** How many draws of one picture's latents precede the noise. */
  public int drawsBefore() {
    return drawn ? 1 : 0;
  }

  /** How many follow it. */
  public int drawsAfter() {
    return drawn && shows ? 1 : 0;
  }
}
