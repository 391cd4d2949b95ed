package io.xfuser.models.vae;

import static io.xfuser.models.vae.Layer.VAE;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.torchscript.Torch;
import java.util.ArrayList;
import java.util.List;

/**
 * Decoding by overlapping tiles whose seams are blended, as diffusers' {@code
 * AutoencoderKL.tiled_decode} lays them out. The picture differs from that of the whole decoder,
 * since every tile has its own normalisation and attention.
 *
 * @param latentSize rows and columns of a tile of latents
 * @param pixelSize rows and columns of a tile of pixels
 */
record Tiling(int latentSize, int pixelSize) {
  private static final double OVERLAP = 0.25;

  /** The tiles of {@code config}: the size of the pictures that it was trained on. */
  static Tiling of(AutoencoderKlConfig config) {
    return new Tiling(config.sampleSize() / config.scale(), config.sampleSize());
  }

  /** Whether latents (B, c, h, w) are larger than one tile. */
  boolean divides(NDArray latents) {
    return Math.max(latents.getShape().get(2), latents.getShape().get(3)) > latentSize;
  }

  /**
   * Decodes every tile by {@code decoder} and joins them.
   *
   * @param latents (B, c, h, w)
   * @return pixels (B, 3, H, W)
   * @throws IllegalArgumentException if tiles are so small that the overlap takes all of one
   */
  NDArray decode(NDManager owner, Layer decoder, NDArray latents) {
    if (stride() < 1) {
      throw new IllegalArgumentException(
          "tiling needs tiles of at least 2 × 2 latents, but sample_size %d gives %d × %d"
              .formatted(pixelSize, latentSize, latentSize));
    }
    try (NDManager scope = owner.newSubManager()) {
      List<NDArray> kept = new ArrayList<>();
      NDManager above = scope.newSubManager();
      List<NDArray> tilesAbove = List.of();
      for (long top = 0; top < latents.getShape().get(2); top += stride()) {
        NDManager row = scope.newSubManager();
        List<NDArray> tiles = decodeRow(row, decoder, latents, top);
        blend(row, tilesAbove, tiles);
        kept.add(keep(scope, tiles));
        above.close();
        above = row;
        tilesAbove = tiles;
      }
      return Torch.concat(owner, kept, 2); // (B, 3, H, W)
    }
  }

  /** Latent rows or columns from one tile's start to the next one's. */
  private int stride() {
    return (int) (latentSize * (1 - OVERLAP));
  }

  /** Pixel rows or columns that two neighbours share. */
  private int overlap() {
    return (int) (pixelSize * OVERLAP);
  }

  private List<NDArray> decodeRow(NDManager row, Layer decoder, NDArray latents, long top) {
    List<NDArray> tiles = new ArrayList<>();
    for (long left = 0; left < latents.getShape().get(3); left += stride()) {
      try (NDArray tile = VAE.call(row, "window", latents, top, left, latentSize)) {
        tiles.add(decoder.forward(row, tile)); // (B, 3, ≤ pixelSize, ≤ pixelSize)
      }
    }
    return tiles;
  }

  /** Blends each tile with the one above and the one to its left, which are blended already. */
  private void blend(NDManager row, List<NDArray> above, List<NDArray> tiles) {
    for (int i = 0; i < tiles.size(); i++) {
      if (!above.isEmpty()) {
        VAE.call(row, "blend_", above.get(i), tiles.get(i), 2, overlap()).close();
      }
      if (i > 0) {
        VAE.call(row, "blend_", tiles.get(i - 1), tiles.get(i), 3, overlap()).close();
      }
    }
  }

  /** The part of a row of tiles that the next ones do not cover, side by side. */
  private NDArray keep(NDManager owner, List<NDArray> tiles) {
    int kept = pixelSize - overlap();
    try (NDManager scope = owner.newSubManager()) {
      List<NDArray> parts = new ArrayList<>();
      for (NDArray tile : tiles) {
        parts.add(VAE.call(scope, "window", tile, 0, 0, kept));
      }
      return Torch.concat(owner, parts, 3); // (B, 3, ≤ kept, W)
    }
  }
}
