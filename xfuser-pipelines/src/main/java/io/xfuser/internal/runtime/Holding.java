package io.xfuser.internal.runtime;

import io.xfuser.config.EngineConfig;
import io.xfuser.config.Offload;
import io.xfuser.config.Settings.StepCache;
import io.xfuser.internal.plan.RequestPlan;
import io.xfuser.internal.weights.Prefetcher;
import java.util.BitSet;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * When weights are in memory where they are used.
 *
 * @param offload which of them only while they are used
 * @param ratio which part of a stage's blocks stays, of those that are read ahead of use
 * @param firstStays whether the first block does in any case: a step cache looks at it in steps
 *     that it spares
 * @param prefetcher reads ahead; null where nothing is
 */
public record Holding(
    Offload offload, double ratio, boolean firstStays, @Nullable Prefetcher prefetcher) {
  /** All weights, always. */
  static final Holding ALL = of(Offload.NONE);

  /** Where nothing is read ahead. */
  static Holding of(Offload offload) {
    return new Holding(offload, 0, false, null);
  }

  /** What {@code engine} asks for, before a request is known. */
  public static Holding of(EngineConfig engine) {
    return new Holding(engine.held(), engine.runtime().residency().ratio(), false, null);
  }

  /** What the engine asks for in the request of {@code plan}. */
  static Holding of(RequestPlan plan) {
    boolean cached = plan.request().input().cache() != StepCache.NONE;
    return new Holding(plan.engine().held(), plan.residentRatio(), cached, null);
  }

  /** The same, read by what reads the weights of {@code pipeline}. */
  Holding by(PlacedPipeline<?> pipeline) {
    return new Holding(offload, ratio, firstStays, pipeline.placement().prefetcher());
  }

  /** Bytes of blocks of these sizes that are in memory at one time, at most. */
  long atOnce(List<Long> blocks) {
    return switch (offload) {
      case NONE, MODEL -> blocks.stream().mapToLong(bytes -> bytes).sum();
      case SEQUENTIAL -> blocks.stream().mapToLong(bytes -> bytes).max().orElse(0);
      case LAYERWISE -> staying(blocks) + coming(blocks);
    };
  }

  /** Those of them that stay where others are read ahead. */
  long staying(List<Long> blocks) {
    if (offload != Offload.LAYERWISE) {
      return 0;
    }
    return stay(blocks.size()).stream().mapToLong(blocks::get).sum();
  }

  /** The largest sum of two that are read one after the other. */
  private long coming(List<Long> blocks) {
    BitSet stay = stay(blocks.size());
    long before = 0;
    long most = 0;
    for (int i = 0; i < 2 * blocks.size(); i++) { // the first comes after the last
      if (!stay.get(i % blocks.size())) {
        long bytes = blocks.get(i % blocks.size());
        most = Math.max(most, before + bytes);
        before = stay.cardinality() == blocks.size() - 1 ? 0 : bytes;
      }
    }
    return most;
  }

  /** The same with another part of the blocks that stays. */
  Holding with(double other) {
    return new Holding(offload, other, firstStays, prefetcher);
  }

  /**
   * The blocks that stay of {@code blocks}: ⌊n·r + 0.5⌋, at even distances, so that between two
   * that are read there is as much to compute as can be.
   */
  BitSet stay(int blocks) {
    BitSet stay = new BitSet();
    long staying = (long) Math.floor(blocks * ratio + 0.5);
    for (int i = 0; i < blocks; i++) {
      if ((i + 1) * staying / blocks > i * staying / blocks) {
        stay.set(i);
      }
    }
    if (firstStays) {
      stay.set(0);
    }
    return stay;
  }
}
