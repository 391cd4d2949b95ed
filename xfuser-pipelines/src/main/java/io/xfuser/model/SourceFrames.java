package io.xfuser.model;

import io.xfuser.internal.picture.Bitmap;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How a video is made of pictures that are frames of it; the first is {@link SourcePictures#image}.
 *
 * @param last the picture that it ends with, in the size in which it is drawn; null = it ends as it
 *     may
 * @param stays whether the latents of the first frame are the picture's in every step, its tokens
 *     at timestep 0; else the transformer sees beside each token which frames are given, and the
 *     latents of a video that has these and is grey elsewhere
 * @param together frames of pixels that become one of latents, behind the first
 * @param read the pictures that the text encoder reads with every prompt, as they were given; often
 *     none
 */
public record SourceFrames(@Nullable Bitmap last, boolean stays, int together, List<Bitmap> read) {
  public SourceFrames {
    read = List.copyOf(read);
  }
}
