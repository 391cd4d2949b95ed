package io.xfuser.pipeline;

import ai.djl.Device;
import io.xfuser.config.EngineConfig;
import io.xfuser.parallel.World;
import io.xfuser.transformer.TransformerSpec;
import java.util.List;
import java.util.function.IntFunction;
import java.util.stream.IntStream;

/**
 * What all ranks do in one request.
 *
 * @param engine what all ranks were told
 * @param request what is generated
 * @param denoising the ranks of the transformer; those after them only decode
 */
record RequestPlan(EngineConfig engine, GenerationRequest request, List<RankPlan> denoising) {
  /**
   * Plans before any rank starts.
   *
   * @throws IllegalArgumentException if the degrees do not fit the model or the request, with the
   *     numbers
   */
  static RequestPlan of(EngineConfig engine, TransformerSpec<?> spec, GenerationRequest request) {
    return new RequestPlan(
        engine,
        request,
        IntStream.range(0, engine.parallel().ditParallelSize())
            .mapToObj(rank -> RankPlan.of(rank, engine, spec, request))
            .toList());
  }

  /** Who does what, a line for each rank, where {@code devices} say that it computes. */
  List<String> describe(TransformerSpec<?> spec, IntFunction<Device> devices) {
    DecodingRanks decoding = DecodingRanks.of(engine, request);
    return IntStream.range(0, engine.parallel().worldSize())
        .mapToObj(
            rank ->
                rank < denoising.size()
                    ? denoising.get(rank).describe(spec, devices.apply(rank))
                    : decoding.describe(rank, devices.apply(rank)))
        .toList();
  }

  /** Denoising steps. */
  int steps() {
    return request.calls();
  }

  /** One rank's part. */
  <C> RankResult run(PlacedPipeline<C> placed, World world, Call call) {
    try (RankRun run = RankRun.of(placed, engine, world, call.watch())) {
      return world.rank() < denoising.size()
          ? new RankPipeline<>(placed, run, denoising.get(world.rank())).run(call.given())
          : new VaeRank(placed, request, run).run();
    }
  }

  /**
   * What the caller of one request gives.
   *
   * @param given tensors in the place of what would be made
   * @param watch who watches it
   */
  record Call(GivenTensors given, RequestWatch watch) {}
}
