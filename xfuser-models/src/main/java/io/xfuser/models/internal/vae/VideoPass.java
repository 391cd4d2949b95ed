package io.xfuser.models.internal.vae;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.nn.Range;
import io.xfuser.nn.Strip;
import io.xfuser.torchscript.Torch;
import io.xfuser.transformer.BlockContext.LayerListener;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;

/**
 * How the frames of a video pass layers that look back: some at a time, so that what is held does
 * not depend on how many there are. By tiles every tile passes with all its frames, and those of
 * all tiles are held.
 *
 * @param chunks which frames pass together
 * @param tiling how tiles lie
 * @param tiled by tiles, if there are several
 * @param share what passes here
 */
record VideoPass(Chunks chunks, Tiling tiling, boolean tiled, Splitting.Share share) {
  /** Which frames of so many pass together. */
  interface Chunks {
    /** Ranges of them, one after the other. */
    List<Range> of(int frames);

    /**
     * The first alone, then {@code step} together; those that are too few for a step at the end are
     * left out, as diffusers does.
     */
    static Chunks afterFirst(int step) {
      return frames -> {
        List<Range> chunks = new ArrayList<>(List.of(new Range(0, 1)));
        for (int from = 1; from + step <= frames; from += step) {
          chunks.add(new Range(from, from + step));
        }
        return chunks;
      };
    }

    /** {@code step} together; what is left over passes with the first ones. */
    static Chunks leftOverFirst(int step) {
      return frames -> {
        int first = Math.min(frames, step + frames % step);
        List<Range> chunks = new ArrayList<>(List.of(new Range(0, first)));
        for (int from = first; from < frames; from += step) {
          chunks.add(new Range(from, from + step));
        }
        return chunks;
      };
    }
  }

  /** Told of what comes out, which is another's after the call. */
  interface Output extends Consumer<NDArray> {}

  /** How often layers are passed by {@code x} (F, C, H, W) here. */
  int passes(NDArray x) {
    int times = chunks(x).size();
    return divides(x) ? times * tiling.tiles(x, share.strip()) : times;
  }

  /**
   * What {@code layers} make of a video (F, C, H, W), from its first frame on: parts (F', O, H',
   * W') on the first strip, nothing elsewhere.
   */
  void run(NDManager owner, Layer layers, NDArray x, Output output) {
    Strip strip = share.strip();
    try (NDManager scope = owner.newSubManager()) {
      if (divides(x)) {
        Layer all = (to, tile, whole) -> joined(to, layers, tile);
        tiling.join(scope, all, x, strip).ifPresent(output);
        return;
      }
      Range rows = strip.isWhole() ? null : share.of(Math.toIntExact(x.getShape().get(2)));
      NDArray own = rows == null ? x : Torch.slice(scope, x, 2, rows.from(), rows.to());
      parts(
          scope,
          layers,
          own,
          strip,
          made -> {
            Optional<NDArray> whole =
                rows == null
                    ? Optional.of(made)
                    : strip.assemble(made.getManager(), made, 2); // (F', O, H', W')
            whole.ifPresent(output);
          });
    }
  }

  /** A tile's frames together. */
  private NDArray joined(NDManager owner, Layer layers, NDArray tile) {
    try (NDManager scope = owner.newSubManager()) {
      List<NDArray> made = new ArrayList<>();
      parts(scope, layers, tile, Strip.whole(), part -> made.add(Torch.alias(scope, part)));
      return Torch.concat(owner, made, 0); // (F', O, H', W')
    }
  }

  private void parts(NDManager owner, Layer layers, NDArray x, Strip strip, Output output) {
    try (VideoStrip video = new VideoStrip(owner, strip)) {
      for (Range frames : chunks(x)) {
        try (NDManager scope = owner.newSubManager()) {
          NDArray chunk = Torch.slice(scope, x, 0, frames.from(), frames.to());
          video.enter(chunk);
          output.accept(layers.forward(scope, chunk, video));
          video.next();
        }
      }
    }
  }

  private List<Range> chunks(NDArray x) {
    return chunks.of(Math.toIntExact(x.getShape().get(0)));
  }

  private boolean divides(NDArray x) {
    return tiled && tiling.divides(x);
  }

  /** {@code layers}, which tell {@code listener} of each of so many passes. */
  static Sequence watched(Sequence layers, int passes, LayerListener listener) {
    int total = passes * layers.layers().size();
    AtomicInteger done = new AtomicInteger();
    listener.computed(0, total);
    return layers.watched(() -> listener.computed(done.incrementAndGet(), total));
  }
}
