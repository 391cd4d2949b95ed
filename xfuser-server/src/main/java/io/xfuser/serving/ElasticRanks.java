package io.xfuser.serving;

import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.config.ParallelConfig;
import io.xfuser.failure.ArgumentException;
import io.xfuser.model.GenerationRequest;
import io.xfuser.pipeline.DiffusionPipeline;
import io.xfuser.pipeline.XDiTParallel;
import io.xfuser.weights.Placement;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Worlds of 1, 2, 4 … ranks on one opened pipeline, whose weights they share, as many as are in use
 * at a time; and one rank that decodes. Ranks of a world share a picture's tokens: Ulysses as far
 * as there are heads, then rings. Guarded by whoever has it.
 */
final class ElasticRanks {
  private final DiffusionPipeline pipeline;
  private final EngineConfig engine;
  private final int count;
  private final int heads;
  private final Map<Integer, Deque<XDiTParallel>> idle = new HashMap<>();
  private final List<XDiTParallel> all = new ArrayList<>();
  private final XDiTParallel decoder;

  /** Of {@code count} ranks that may denoise at a time; {@code pipeline} stays the caller's. */
  ElasticRanks(DiffusionPipeline pipeline, EngineConfig engine, int count) {
    this.pipeline = pipeline;
    this.count = count;
    this.heads = pipeline.model().transformer(Placement.CPU).heads();
    int threads = Math.max(1, Runtime.getRuntime().availableProcessors() / count);
    this.engine =
        engine.runtime().threads() > 0
            ? engine
            : engine.toBuilder().runtime(r -> r.threads(threads)).build();
    this.decoder = made(1);
  }

  private XDiTParallel made(int degree) {
    int ulysses = Math.min(degree, Integer.highestOneBit(heads));
    ParallelConfig degrees =
        ParallelConfig.builder().ulyssesDegree(ulysses).ringDegree(degree / ulysses).build();
    XDiTParallel ranks =
        XDiTParallel.inProcess(pipeline, engine.toBuilder().parallel(degrees).build());
    ranks.limitWaiting(Integer.MAX_VALUE);
    all.add(ranks);
    return ranks;
  }

  /**
   * A world of {@code degree} ranks that does nothing, to be {@linkplain #giveBack given back}.
   *
   * @param home this one if it has so many and is free, because it has all of a paused request
   */
  XDiTParallel take(int degree, @Nullable XDiTParallel home) {
    Deque<XDiTParallel> free = idle.computeIfAbsent(degree, key -> new ArrayDeque<>());
    if (home != null && free.remove(home)) {
      return home;
    }
    return free.isEmpty() ? made(degree) : free.pop();
  }

  void giveBack(XDiTParallel ranks, int degree) {
    idle.computeIfAbsent(degree, key -> new ArrayDeque<>()).push(ranks);
  }

  /** The rank that decodes, one request after another, while others denoise. */
  XDiTParallel decoder() {
    return decoder;
  }

  /** What the model makes of {@code input}, or its refusal. */
  GenerationRequest check(InputConfig input) {
    return decoder.check(input);
  }

  /** The largest world that can draw {@code input}. */
  int most(InputConfig input) {
    int most = 1;
    for (int degree = 2; degree <= count; degree *= 2) {
      XDiTParallel ranks = take(degree, null);
      giveBack(ranks, degree);
      try {
        ranks.check(input);
      } catch (ArgumentException e) {
        return most;
      }
      most = degree;
    }
    return most;
  }

  /** Ends all; nothing is at work or paused there. */
  void close() {
    all.forEach(XDiTParallel::close);
  }
}
