package io.xfuser.models.internal;

import io.xfuser.config.InputConfig;
import io.xfuser.config.Picture;
import io.xfuser.config.Setting;
import io.xfuser.failure.ArgumentException;
import io.xfuser.internal.picture.Bitmap;
import io.xfuser.internal.picture.PictureFile;
import io.xfuser.internal.picture.Resizing;
import io.xfuser.model.GenerationRequest;
import io.xfuser.model.GenerationRequest.Size;
import io.xfuser.model.SourceFrames;
import io.xfuser.model.SourcePictures;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Pictures that a pipeline's videos begin and end with, in whatever proportions the video is drawn.
 *
 * @param begins whether a video begins with one
 * @param ends whether it ends with another
 * @param stays whether the picture's latents are those of the first frame in every step; else the
 *     transformer sees them beside the video's
 * @param read whether the text encoder reads them too
 * @param together frames of pixels that become one of latents, behind the first
 */
public record FramePictures(Given begins, Given ends, boolean stays, boolean read, int together) {
  /** Whether a picture is given. */
  public enum Given {
    NEVER,
    PERHAPS,
    ALWAYS
  }

  /**
   * Those of a pipeline as diffusers has it.
   *
   * @param always whether its class begins videos with pictures
   * @param reads how many pictures are read besides; where it is one, it is the first
   */
  public static FramePictures of(boolean always, boolean stays, int reads, int together) {
    Given begins = always ? Given.ALWAYS : stays ? Given.PERHAPS : Given.NEVER;
    Given ends =
        !always || stays || reads == 1 ? Given.NEVER : reads == 2 ? Given.ALWAYS : Given.PERHAPS;
    return new FramePictures(begins, ends, stays, reads > 0, together);
  }

  /**
   * Refuses a transformer that takes other channels than it would be given.
   *
   * @param who says it
   */
  public void requireChannels(String who, int inputs, int own) {
    int expected = own + (begins == Given.ALWAYS && !stays ? together + own : 0);
    if (inputs != expected) {
      throw new ArgumentException(
          "%s takes in_channels %d with out_channels %d, but it is %d"
              .formatted(who, expected, own, inputs));
    }
  }

  /** What they add to the settings of a request. */
  public Set<Setting<?>> settings() {
    Set<Setting<?>> all = new HashSet<>();
    if (begins != Given.NEVER) {
      all.add(InputConfig.IMAGE);
    }
    if (ends != Given.NEVER) {
      all.add(InputConfig.LAST_IMAGE);
    }
    return all;
  }

  /**
   * {@code request} with the pictures that its input has.
   *
   * @param pipeline its class, for messages
   * @throws ArgumentException if one is missing, cannot be read, or has no frame
   */
  public GenerationRequest begun(GenerationRequest request, String pipeline) {
    Picture image = request.input().image();
    Picture last = request.input().get(InputConfig.LAST_IMAGE);
    require(image, begins, pipeline, InputConfig.IMAGE);
    require(last, ends, pipeline, InputConfig.LAST_IMAGE);
    if (image == null) {
      return request;
    }
    if (last != null && request.latents().frames() == 1) {
      throw new ArgumentException(
          "%s needs more than one frame, but %s is %d"
              .formatted(InputConfig.LAST_IMAGE, InputConfig.NUM_FRAMES, 1));
    }
    Size size = request.size();
    PictureFile.requireRoom("what is drawn of it", size.width(), size.height());
    Bitmap first = PictureFile.read(InputConfig.IMAGE.name(), image);
    Bitmap end = last == null ? null : PictureFile.read(InputConfig.LAST_IMAGE.name(), last);
    SourceFrames frames =
        new SourceFrames(
            end == null ? null : fitted(end, size),
            stays,
            together,
            read ? Stream.of(first, end).flatMap(Stream::ofNullable).toList() : List.of());
    return request.withPictures(SourcePictures.video(fitted(first, size), frames));
  }

  private static void require(
      @Nullable Picture picture, Given expected, String pipeline, Setting<?> setting) {
    if (picture == null && expected == Given.ALWAYS) {
      throw new ArgumentException(pipeline + " needs " + setting);
    }
  }

  private static Bitmap fitted(Bitmap picture, Size size) {
    return Resizing.stretched(picture, size.width(), size.height());
  }
}
