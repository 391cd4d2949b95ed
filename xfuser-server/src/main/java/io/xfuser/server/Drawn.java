package io.xfuser.server;

import io.xfuser.pipeline.Generation;
import java.awt.image.BufferedImage;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * What a request became.
 *
 * @param pictures in their order
 */
public record Drawn(List<Picture> pictures) {
  /** A copy is kept. */
  public Drawn {
    pictures = List.copyOf(pictures);
  }

  /**
   * A picture, or a video.
   *
   * @param frames one, or those of a video, all of one size
   * @param provenance how it was made, by keyword: text of a PNG
   */
  public record Picture(List<BufferedImage> frames, Map<String, String> provenance) {
    /** Copies are kept. */
    public Picture {
      frames = List.copyOf(frames);
      provenance = Map.copyOf(provenance);
    }
  }

  /** The pictures, or videos, of {@code generation}. */
  public static Drawn of(Generation generation) {
    int frames = generation.frames();
    List<BufferedImage> all =
        generation.images().stream().map(image -> (BufferedImage) image.getWrappedImage()).toList();
    List<Picture> pictures = new ArrayList<>();
    for (int i = 0; i < all.size(); i += frames) {
      pictures.add(new Picture(all.subList(i, i + frames), generation.provenance(i / frames)));
    }
    return new Drawn(pictures);
  }
}
