package io.xfuser.progress;

import java.awt.image.BufferedImage;
import java.util.List;

/**
 * How far something is that takes long. A phase begins with nothing done, unless a download goes on
 * where it ended before, and ends with all of it done; in between some events may be left out.
 */
public sealed interface Progress {
  /** How much is done, in {@link #unit}s: 0 to {@link #total}. */
  long done();

  /** How much there is to do. */
  long total();

  /** What is being done, for a person, and the name of the phase: {@code loading the decoder}. */
  String doing();

  /** What is counted: {@code bytes}. */
  String unit();

  /** Whether all of the phase is done. */
  default boolean complete() {
    return done() >= total();
  }

  /** One line for a person: {@code decoding: 3 of 12 layers}. */
  default String line() {
    return doing() + ": " + done() + " of " + total() + " " + unit();
  }

  /**
   * A file of a model comes from the hub.
   *
   * @param file its name in the repository
   * @param done bytes that are here, those that an earlier attempt had received included
   */
  record Downloading(String file, long done, long total) implements Progress {
    @Override
    public String doing() {
      return "downloading " + file;
    }

    @Override
    public String unit() {
      return "bytes";
    }
  }

  /** A model is opened: settings and headers are read, and every component is tried. */
  record Opening(long done, long total) implements Progress {
    @Override
    public String doing() {
      return "opening the model";
    }

    @Override
    public String unit() {
      return "bytes";
    }
  }

  /** A component's weights are read, as far as this process needs them and does not have them. */
  record Loading(Component component, long done, long total) implements Progress {
    @Override
    public String doing() {
      return "loading the " + component.label;
    }

    @Override
    public String unit() {
      return "bytes";
    }
  }

  /** What has weights. */
  enum Component {
    /** The transformer, or the blocks that a rank has of it. */
    TRANSFORMER("transformer"),
    /** All text encoders of a model, or a rank's share of them. */
    TEXT_ENCODER("text encoder"),
    /** The decoder of the VAE. */
    DECODER("decoder"),
    /** The encoder of the VAE, for pictures that a request brings. */
    ENCODER("encoder"),
    /** What sees pictures that are prompts. */
    PICTURE_ENCODER("encoder of pictures");

    private final String label;

    Component(String label) {
      this.label = label;
    }
  }

  /** The prompts are encoded, layer by layer. */
  record Encoding(long done, long total) implements Progress {
    @Override
    public String doing() {
      return "encoding the prompt";
    }

    @Override
    public String unit() {
      return "layers";
    }
  }

  /** Pixels that a request brings become latents: the layers of each tile or strip here. */
  record EncodingPicture(long done, long total) implements Progress {
    @Override
    public String doing() {
      return "encoding the picture";
    }

    @Override
    public String unit() {
      return "layers";
    }
  }

  /**
   * The denoising steps. On a GPU the next step is under way when one is told of.
   *
   * @param seconds that the last of these steps took; 0 when none is done
   */
  record Denoising(long done, long total, double seconds) implements Progress {
    @Override
    public String doing() {
      return "denoising";
    }

    @Override
    public String unit() {
      return "steps";
    }
  }

  /** Latents become pixels: the layers of each of the tiles, slices or strips of this process. */
  record Decoding(long done, long total) implements Progress {
    @Override
    public String doing() {
      return "decoding";
    }

    @Override
    public String unit() {
      return "layers";
    }
  }

  /**
   * Pictures as some of the steps foresee them, where a request asks for such: without noise,
   * blurred at first. They are decoded ({@code partial_images}), or small ones that a linear map
   * makes of latents ({@code preview_every}).
   *
   * @param pictures decoded ones of the first rank here that decodes, the frames of videos one
   *     after another; or those of latents, of the ranks that have the request's first picture
   * @param frames of each video; 1 for pictures
   * @param perSecond how many of these are shown in a second
   */
  record Preview(long done, long total, List<BufferedImage> pictures, int frames, double perSecond)
      implements Progress {
    /** A copy is kept. */
    public Preview {
      pictures = List.copyOf(pictures);
    }

    @Override
    public String doing() {
      return "showing unfinished pictures";
    }

    @Override
    public String unit() {
      return "steps";
    }
  }
}
