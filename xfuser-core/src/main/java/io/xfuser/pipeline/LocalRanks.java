package io.xfuser.pipeline;

import ai.djl.Device;
import io.xfuser.config.EngineConfig;
import io.xfuser.failure.ArgumentException;
import io.xfuser.parallel.Transport;
import io.xfuser.parallel.World;
import io.xfuser.parallel.inprocess.InProcessRanks;
import io.xfuser.parallel.inprocess.PeerCopies;
import io.xfuser.parallel.socket.SocketConfig;
import io.xfuser.torchscript.Gpus;
import io.xfuser.torchscript.Torch;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * The ranks in this JVM.
 *
 * @param world the others; null if all are here
 * @param devices where each computes
 * @param threads on which each computes
 */
record LocalRanks(@Nullable World world, List<Device> devices, List<RankThread> threads) {
  /** One of {@code world}. */
  static LocalRanks one(EngineConfig engine, World world) {
    engine.parallel().requireWorldSize(world.size());
    Device device = device(engine, world.rank());
    if (!world.device().equals(device)) {
      throw new ArgumentException(
          ("rank %d computes on %s, but its world carries tensors of %s: XDiTParallel.connect makes"
                  + " one that fits")
              .formatted(world.rank(), Torch.name(device), Torch.name(world.device())));
    }
    int threads = threads(engine, onThisMachine(world));
    return new LocalRanks(
        world, List.of(device), List.of(new RankThread(world.rank(), device, threads)));
  }

  /** All of them. */
  static LocalRanks all(EngineConfig engine) {
    RankDevices devices = new RankDevices(engine.runtime(), Gpus.found());
    int size = engine.parallel().worldSize();
    int each = threads(engine, size);
    return new LocalRanks(
        null,
        IntStream.range(0, size).mapToObj(devices::of).toList(),
        IntStream.range(0, size)
            .mapToObj(rank -> new RankThread(rank, devices.of(rank), each))
            .toList());
  }

  /** The device of {@code rank}, which has a JVM of its own. */
  static Device device(EngineConfig engine, int rank) {
    return new RankDevices(engine.runtime(), Gpus.found())
        .of(SocketConfig.localRank(System.getenv(), rank));
  }

  private static int threads(EngineConfig engine, int localRanks) {
    return RankThread.threadsPerRank(engine.runtime().threads(), System.getenv(), localRanks);
  }

  private static int onThisMachine(World world) {
    return SocketConfig.localSize(System.getenv(), world.size());
  }

  /** Those that are here. */
  List<Integer> numbers() {
    return world == null
        ? IntStream.range(0, devices.size()).boxed().toList()
        : List.of(world.rank());
  }

  /** Those of them that compute on {@code device}. */
  List<Integer> on(Device device) {
    return IntStream.range(0, devices.size())
        .filter(i -> devices.get(i).equals(device))
        .mapToObj(i -> numbers().get(i))
        .toList();
  }

  /** Where any rank computes, if all machines are like this one. */
  Device planned(EngineConfig engine, int rank) {
    if (world == null) {
      return devices.get(rank);
    }
    return rank == world.rank()
        ? devices.get(0)
        : new RankDevices(engine.runtime(), Gpus.found()).of(rank % onThisMachine(world));
  }

  /** Ranks on one device hand tensors over as they are; others copy them to their own. */
  World within(InProcessRanks ranks, int rank) {
    Transport handOver = ranks.transport(rank);
    Device device = devices.get(rank);
    return devices.stream().distinct().count() == 1
        ? new World(handOver, device)
        : new World(new PeerCopies(handOver, device), device);
  }
}
