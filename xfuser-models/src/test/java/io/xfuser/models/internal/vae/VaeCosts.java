package io.xfuser.models.internal.vae;

import io.xfuser.model.LatentShape;
import io.xfuser.nn.Range;
import io.xfuser.weights.ComponentConfig;
import java.nio.file.Path;

/**
 * The bytes that a rank sends when a picture is decoded in strips of rows, in fp32: the formulas of
 * {@code docs/methods/parallel_vae.md}.
 *
 * @param config of the decoder
 * @param batch B, pictures decoded together
 * @param height h, rows of latents
 * @param width w, their columns
 */
public record VaeCosts(AutoencoderKlConfig config, long batch, int height, long width) {
  /** Of two pictures by the decoder of the pipeline in {@code directory}. */
  static VaeCosts of(Path directory, LatentShape latents) {
    AutoencoderKlConfig config =
        AutoencoderKlConfig.from(ComponentConfig.read(directory.resolve("vae/config.json")));
    return new VaeCosts(config, 2, latents.height(), latents.width());
  }

  /** All that strip {@code strip} of {@code strips} sends between latents and pixels. */
  public long sent(int strip, int strips) {
    int neighbours = (strip > 0 ? 1 : 0) + (strip < strips - 1 ? 1 : 0);
    return neighbours * halo()
        + (strips - 1) * (norms() + keys(strip, strips))
        + (strip == 0 ? 0 : pixels(strip, strips));
  }

  /** What the rank that has the latents sends before, to all others. */
  public long latents(int strips) {
    return 4L * (strips - 1) * batch * config.latentChannels() * height * width;
  }

  /** To a neighbour: B·C·W elements for each 3×3 convolution. */
  public long halo() {
    int levels = config.widths().size();
    long columns = width;
    long in = config.widths().get(levels - 1);
    long elements = columns * (config.latentChannels() + 4 * in); // the first, the mid-block's
    for (int level = 0; level < levels; level++) {
      long out = config.widths().get(levels - 1 - level);
      elements += columns * (in + (2L * config.layersPerBlock() + 1) * out);
      in = out;
      if (level < levels - 1) {
        columns *= 2;
        elements += columns * out;
      }
    }
    return 4 * batch * (elements + columns * in); // and the last
  }

  /** To each other rank: three fp64 numbers per group and norm. */
  public long norms() {
    int levels = config.widths().size();
    long norms = config.midAttention() ? 5 : 4;
    norms += 2L * levels * (config.layersPerBlock() + 1) + 1;
    return 24 * batch * norms * config.normGroups();
  }

  /** To each other rank: keys and values of the own positions in the mid-block. */
  public long keys(int strip, int strips) {
    long widest = config.widths().get(config.widths().size() - 1);
    return config.midAttention() ? 8 * batch * rows(strip, strips) * width * widest : 0;
  }

  /** To the first rank. */
  public long pixels(int strip, int strips) {
    long scale = config.scale();
    return 12 * batch * rows(strip, strips) * scale * width * scale;
  }

  private long rows(int strip, int strips) {
    return Range.of(height).shard(strip, strips).length();
  }
}
