package io.xfuser.serving;

import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.config.ParallelConfig;
import io.xfuser.config.RuntimeConfig;
import io.xfuser.config.Setting;
import io.xfuser.failure.ArgumentException;
import io.xfuser.internal.device.Gpus;
import io.xfuser.internal.plan.RankDevices;
import io.xfuser.model.GenerationRequest;
import io.xfuser.pipeline.DiffusionPipeline;
import io.xfuser.pipeline.XDiTParallel;
import io.xfuser.weights.Placement;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Worlds of 1, 2, 4 … ranks on one opened pipeline, whose weights they share, as many as are in use
 * at a time; and one rank that decodes. Ranks of a world share a picture's tokens: Ulysses as far
 * as there are heads, then rings. Each rank computes on the GPU that has the fewest. Guarded by
 * whoever has it.
 */
final class ElasticRanks {
  private final DiffusionPipeline pipeline;
  private final EngineConfig engine;
  private final int count;
  private final int heads;
  private final Places busy;
  private final List<XDiTParallel> idle = new ArrayList<>();
  private final Map<XDiTParallel, List<Integer>> all = new LinkedHashMap<>(); // and their places
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
    this.busy = new Places(devices(engine.runtime(), Gpus.found(), count + 1));
    this.decoder = made(List.of(count)); // has a GPU of its own where there is one more
  }

  /**
   * What a request can be drawn with.
   *
   * @param most ranks together
   * @param alike whether its picture is the same beside others; not where a cache goes by all
   *     pictures
   */
  record Means(int most, boolean alike) {}

  Means means(InputConfig input) {
    boolean alike = pipeline.model().drawsAlike() && !ScheduledTask.spares(input);
    return new Means(most(input), alike);
  }

  /** On how many devices so many ranks compute. */
  static int devices(RuntimeConfig runtime, Gpus gpus, int ranks) {
    RankDevices devices = new RankDevices(runtime, gpus);
    return (int) IntStream.range(0, ranks).mapToObj(devices::of).distinct().count();
  }

  private XDiTParallel made(List<Integer> places) {
    int degree = places.size();
    int ulysses = Math.min(degree, Integer.highestOneBit(heads));
    ParallelConfig degrees =
        ParallelConfig.builder().ulyssesDegree(ulysses).ringDegree(degree / ulysses).build();
    XDiTParallel ranks =
        XDiTParallel.inProcess(pipeline, engine.toBuilder().parallel(degrees).build(), places);
    ranks.limitWaiting(Integer.MAX_VALUE);
    all.put(ranks, places);
    return ranks;
  }

  /**
   * A world of {@code degree} ranks that does nothing, to be {@linkplain #giveBack given back}.
   *
   * @param home this one if it has so many and is free, because it has all of a paused request
   */
  XDiTParallel take(int degree, @Nullable XDiTParallel home) {
    XDiTParallel taken =
        Stream.concat(Stream.ofNullable(home), idle.stream())
            .filter(ranks -> idle.contains(ranks) && places(ranks).size() == degree)
            .filter(ranks -> busy.asGood(places(ranks)))
            .findFirst()
            .orElseGet(() -> made(busy.forNew(degree)));
    idle.remove(taken);
    busy.take(places(taken));
    return taken;
  }

  private List<Integer> places(XDiTParallel ranks) {
    return Objects.requireNonNull(all.get(ranks));
  }

  void giveBack(XDiTParallel ranks) {
    busy.giveBack(places(ranks));
    idle.add(0, ranks);
  }

  /** The rank that decodes, one request after another, while others denoise. */
  XDiTParallel decoder() {
    return decoder;
  }

  /** What requests may have. */
  Set<Setting<?>> settings() {
    return decoder.settings();
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
      giveBack(ranks);
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
    all.keySet().forEach(XDiTParallel::close);
  }
}
