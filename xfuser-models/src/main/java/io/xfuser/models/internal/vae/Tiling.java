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
 * Overlapping tiles whose seams are blended, as diffusers' {@code AutoencoderKL.tiled_decode} and
 * {@code _tiled_encode} lay them out. What comes out differs from what the layers make of the
 * whole, since every tile has its own normalisation and attention.
 *
 * @param rows how they lie from top to bottom
 * @param columns the same from left to right
 * @param painted whether tiles are painted over those before them, as AutoencoderTiny does
 */
record Tiling(Side rows, Side columns, boolean painted) {
  /**
   * How tiles lie along one side.
   *
   * @param from rows or columns of a tile that goes in, of latents for a decoder
   * @param to rows or columns of one that comes out, of pixels for a decoder
   * @param overlapFactor the part of a tile that the next one covers
   * @param least so many are not divided
   */
  record Side(int from, int to, double overlapFactor, int least) {
    /** What goes in from one tile's start to the next one's. */
    int stride() {
      return stride(from, overlapFactor);
    }

    private static int stride(int from, double overlapFactor) {
      return (int) (from * (1 - overlapFactor));
    }

    /** What comes out of two neighbours alike. */
    int overlap() {
      return (int) (to * overlapFactor);
    }

    /** What comes out of one tile alone. */
    int kept() {
      return to - overlap();
    }
  }

  /** Those whose seams are blended; what is no larger than one is not divided. */
  static Tiling blended(int from, int to, double overlapFactor) {
    Side side = new Side(from, to, overlapFactor, from);
    return new Tiling(side, side, false);
  }

  /** Those of AutoencoderTiny, which begins a tile wherever there is room. */
  static Tiling painted(int from, int to, double overlapFactor) {
    Side side = new Side(from, to, overlapFactor, Side.stride(from, overlapFactor));
    return new Tiling(side, side, true);
  }

  /** Those of an encoder. */
  Tiling encoding() {
    return painted
        ? painted(rows.to, rows.from, rows.overlapFactor)
        : blended(rows.to, rows.from, rows.overlapFactor);
  }

  /** Whether x (B, C, H, W) is larger than one tile. */
  boolean divides(NDArray x) {
    return x.getShape().get(2) > rows.least || x.getShape().get(3) > columns.least;
  }

  /**
   * Joins what {@code layers} make of every tile. Tiles go round the strips; the first one blends
   * them all.
   *
   * @param x (B, C, H, W)
   * @return (B, O, H', W') on the first strip, nothing elsewhere
   * @throws ArgumentException if tiles are so small that the overlap takes all of one
   */
  Optional<NDArray> join(NDManager owner, Layer layers, NDArray x, Strip strip) {
    if (stride() < 1 || Math.min(rows.kept(), columns.kept()) < 1) {
      throw new ArgumentException(
          "tiling needs tiles of at least 2 × 2 latents, but sample_size %d gives %d × %d"
              .formatted(
                  Math.max(rows.from, rows.to),
                  Math.min(rows.from, rows.to),
                  Math.min(columns.from, columns.to)));
    }
    Tiled picture = new Tiled(layers, x, strip);
    List<List<Tile>> all = rows(x);
    if (strip.index() > 0) {
      all.forEach(row -> row.forEach(tile -> deliver(owner, picture, tile)));
      return Optional.empty();
    }
    try (NDManager scope = owner.newSubManager()) {
      List<NDArray> kept = new ArrayList<>();
      NDManager above = scope.newSubManager();
      List<NDArray> joinedAbove = List.of();
      for (List<Tile> tilesHere : all) {
        NDManager row = scope.newSubManager();
        List<NDArray> joined = join(row, joinedAbove, row(row, picture, tilesHere));
        NDArray keeping = keep(scope, joined, tilesHere == all.get(all.size() - 1));
        kept.add(painted ? Torch.cast(scope, keeping, ElementType.of(x)) : keeping);
        above.close();
        above = row;
        joinedAbove = joined;
      }
      return Optional.of(Torch.concat(owner, kept, 2)); // (B, O, H', W')
    }
  }

  /** How many tiles of {@code x} pass on a strip. */
  int tiles(NDArray x, Strip strip) {
    return (int)
        rows(x).stream()
            .flatMap(List::stream)
            .filter(tile -> tile.turn(strip) == strip.index())
            .count();
  }

  /** What passes, through what, and where. */
  private record Tiled(Layer layers, NDArray x, Strip strip) {}

  /** Where a tile begins; {@code number} counts all tiles, row by row. */
  private record Tile(int number, long top, long left) {
    int turn(Strip strip) {
      return number % strip.count();
    }
  }

  private List<List<Tile>> rows(NDArray x) {
    List<List<Tile>> all = new ArrayList<>();
    int number = 0;
    for (long top = 0; top < x.getShape().get(2); top += rows.stride()) {
      List<Tile> row = new ArrayList<>();
      for (long left = 0; left < x.getShape().get(3); left += columns.stride()) {
        row.add(new Tile(number++, top, left));
      }
      all.add(row);
    }
    return all;
  }

  /** The lesser of rows and columns that go in from one tile's start to the next one's. */
  int stride() {
    return Math.min(rows.stride(), columns.stride());
  }

  /** A row of tiles on the first strip: passed here, or on the strip whose turn it was. */
  private List<NDArray> row(NDManager row, Tiled picture, List<Tile> tiles) {
    Strip strip = picture.strip();
    Map<Tile, NDArray> own = new HashMap<>();
    for (Tile tile : tiles) { // before it waits for others
      if (tile.turn(strip) == 0) {
        own.put(tile, pass(row, picture, tile));
      }
    }
    List<NDArray> all = new ArrayList<>();
    for (Tile tile : tiles) {
      NDArray mine = own.get(tile);
      all.add(mine == null ? strip.collect(row, tile.turn(strip)) : mine);
    }
    return all; // (B, O, ≤ to, ≤ to) each
  }

  private void deliver(NDManager owner, Tiled picture, Tile tile) {
    if (tile.turn(picture.strip()) == picture.strip().index()) {
      try (NDArray made = pass(owner, picture, tile)) {
        picture.strip().deliver(made);
      }
    }
  }

  /** A tile is a picture of its own: (B, O, ≤ to, ≤ to). */
  private NDArray pass(NDManager owner, Tiled picture, Tile tile) {
    try (NDArray window =
        VAE.call(owner, "window", picture.x(), tile.top(), tile.left(), rows.from, columns.from)) {
      return picture.layers().forward(owner, window, Strip.whole());
    }
  }

  /** The tiles of a row, blended, or the row that they are painted into. */
  private List<NDArray> join(NDManager row, List<NDArray> above, List<NDArray> tiles) {
    if (painted) {
      return List.of(VAE.call(row, "paint", above, tiles, rows.kept(), rows.overlap()));
    }
    blend(row, above, tiles);
    return tiles;
  }

  /** Blends each tile with the one above and the one to its left, which are blended already. */
  private void blend(NDManager row, List<NDArray> above, List<NDArray> tiles) {
    for (int i = 0; i < tiles.size(); i++) {
      if (!above.isEmpty()) {
        VAE.call(row, "blend_", above.get(i), tiles.get(i), 2, rows.overlap()).close();
      }
      if (i > 0) {
        VAE.call(row, "blend_", tiles.get(i - 1), tiles.get(i), 3, columns.overlap()).close();
      }
    }
  }

  /** The part of a row of tiles that the next ones do not cover, side by side. */
  private NDArray keep(NDManager owner, List<NDArray> tiles, boolean last) {
    if (painted) {
      NDArray row = tiles.get(0); // (B, O, h, W)
      long all = row.getShape().get(2);
      return Torch.slice(owner, row, 2, 0, last ? all : Math.min(all, rows.kept()));
    }
    try (NDManager scope = owner.newSubManager()) {
      List<NDArray> parts = new ArrayList<>();
      for (NDArray tile : tiles) {
        parts.add(VAE.call(scope, "window", tile, 0, 0, rows.kept(), columns.kept()));
      }
      return Torch.concat(owner, parts, 3); // (B, O, ≤ kept, W)
    }
  }
}
