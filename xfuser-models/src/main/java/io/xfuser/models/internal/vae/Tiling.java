package io.xfuser.models.internal.vae;

import static io.xfuser.models.internal.vae.Layer.VAE;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.failure.ArgumentException;
import io.xfuser.nn.Strip;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Torch;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Decoding by overlapping tiles whose seams are blended, as diffusers' {@code
 * AutoencoderKL.tiled_decode} lays them out. The picture differs from that of the whole decoder,
 * since every tile has its own normalisation and attention.
 *
 * @param latentSize rows and columns of a tile of latents
 * @param pixelSize rows and columns of a tile of pixels
 * @param overlapFactor the part of a tile that the next one covers
 * @param painted whether tiles are painted over those before them, as AutoencoderTiny does
 */
record Tiling(int latentSize, int pixelSize, double overlapFactor, boolean painted) {

  /**
   * The tiles of {@code config}: of AutoencoderKL those of the size of the pictures that it was
   * trained on.
   */
  static Tiling of(AutoencoderKlConfig config) {
    return new Tiling(
        config.sampleSize() / config.scale(),
        config.sampleSize(),
        config.tiny() ? 0.125 : 0.25,
        config.tiny());
  }

  /** Whether latents (B, c, h, w) are larger than one tile. */
  boolean divides(NDArray latents) {
    int one =
        painted ? stride() : latentSize; // AutoencoderTiny begins a tile wherever there is room
    return Math.max(latents.getShape().get(2), latents.getShape().get(3)) > one;
  }

  /**
   * Decodes every tile by {@code decoder} and joins them. Tiles go round the strips; the first one
   * blends them all.
   *
   * @param latents (B, c, h, w)
   * @return pixels (B, 3, H, W) on the first strip, nothing elsewhere
   * @throws ArgumentException if tiles are so small that the overlap takes all of one
   */
  Optional<NDArray> decode(NDManager owner, Layer decoder, NDArray latents, Strip strip) {
    if (stride() < 1) {
      throw new ArgumentException(
          "tiling needs tiles of at least 2 × 2 latents, but sample_size %d gives %d × %d"
              .formatted(pixelSize, latentSize, latentSize));
    }
    TiledLatents picture = new TiledLatents(decoder, latents, strip);
    List<List<Tile>> rows = rows(latents);
    if (strip.index() > 0) {
      rows.forEach(row -> row.forEach(tile -> deliver(owner, picture, tile)));
      return Optional.empty();
    }
    try (NDManager scope = owner.newSubManager()) {
      List<NDArray> kept = new ArrayList<>();
      NDManager above = scope.newSubManager();
      List<NDArray> joinedAbove = List.of();
      for (List<Tile> tilesHere : rows) {
        NDManager row = scope.newSubManager();
        List<NDArray> joined = join(row, joinedAbove, decodeRow(row, picture, tilesHere));
        NDArray keeping = keep(scope, joined, tilesHere == rows.get(rows.size() - 1));
        kept.add(painted ? Torch.cast(scope, keeping, ElementType.of(latents)) : keeping);
        above.close();
        above = row;
        joinedAbove = joined;
      }
      return Optional.of(Torch.concat(owner, kept, 2)); // (B, 3, H, W)
    }
  }

  /** How many tiles of {@code latents} a strip decodes. */
  int tiles(NDArray latents, Strip strip) {
    return (int)
        rows(latents).stream()
            .flatMap(List::stream)
            .filter(tile -> tile.turn(strip) == strip.index())
            .count();
  }

  /** What is decoded, by what, and by whom. */
  private record TiledLatents(Layer decoder, NDArray latents, Strip strip) {}

  /** Where a tile of latents begins; {@code number} counts all tiles, row by row. */
  private record Tile(int number, long top, long left) {
    /** Which strip decodes it. */
    int turn(Strip strip) {
      return number % strip.count();
    }
  }

  private List<List<Tile>> rows(NDArray latents) {
    List<List<Tile>> rows = new ArrayList<>();
    int number = 0;
    for (long top = 0; top < latents.getShape().get(2); top += stride()) {
      List<Tile> row = new ArrayList<>();
      for (long left = 0; left < latents.getShape().get(3); left += stride()) {
        row.add(new Tile(number++, top, left));
      }
      rows.add(row);
    }
    return rows;
  }

  /** Latent rows or columns from one tile's start to the next one's. */
  int stride() {
    return (int) (latentSize * (1 - overlapFactor));
  }

  /** Pixel rows or columns that two neighbours share. */
  private int overlap() {
    return (int) (pixelSize * overlapFactor);
  }

  /** A row of tiles on the first strip: decoded here, or by the strip whose turn it was. */
  private List<NDArray> decodeRow(NDManager row, TiledLatents picture, List<Tile> tiles) {
    Strip strip = picture.strip();
    Map<Tile, NDArray> own = new HashMap<>();
    for (Tile tile : tiles) { // before it waits for others
      if (tile.turn(strip) == 0) {
        own.put(tile, decode(row, picture, tile));
      }
    }
    List<NDArray> decoded = new ArrayList<>();
    for (Tile tile : tiles) {
      NDArray mine = own.get(tile);
      decoded.add(mine == null ? strip.collect(row, tile.turn(strip)) : mine);
    }
    return decoded; // (B, 3, ≤ pixelSize, ≤ pixelSize) each
  }

  private void deliver(NDManager owner, TiledLatents picture, Tile tile) {
    if (tile.turn(picture.strip()) == picture.strip().index()) {
      try (NDArray pixels = decode(owner, picture, tile)) {
        picture.strip().deliver(pixels);
      }
    }
  }

  /** A tile is a picture of its own: (B, 3, ≤ pixelSize, ≤ pixelSize). */
  private NDArray decode(NDManager owner, TiledLatents picture, Tile tile) {
    NDArray latents = picture.latents();
    try (NDArray window = VAE.call(owner, "window", latents, tile.top(), tile.left(), latentSize)) {
      return picture.decoder().forward(owner, window, Strip.whole());
    }
  }

  /** The tiles of a row, blended, or the row that they are painted into. */
  private List<NDArray> join(NDManager row, List<NDArray> above, List<NDArray> tiles) {
    if (painted) {
      return List.of(VAE.call(row, "paint", above, tiles, pixelSize - overlap(), overlap()));
    }
    blend(row, above, tiles);
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
  private NDArray keep(NDManager owner, List<NDArray> tiles, boolean last) {
    int kept = pixelSize - overlap();
    if (painted) {
      NDArray row = tiles.get(0); // (B, 3, h, W)
      long rows = row.getShape().get(2);
      return Torch.slice(owner, row, 2, 0, last ? rows : Math.min(rows, kept));
    }
    try (NDManager scope = owner.newSubManager()) {
      List<NDArray> parts = new ArrayList<>();
      for (NDArray tile : tiles) {
        parts.add(VAE.call(scope, "window", tile, 0, 0, kept));
      }
      return Torch.concat(owner, parts, 3); // (B, 3, ≤ kept, W)
    }
  }
}
