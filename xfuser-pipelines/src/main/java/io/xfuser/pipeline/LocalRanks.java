package io.xfuser.pipeline;

import ai.djl.Device;
import io.xfuser.config.EngineConfig;
import io.xfuser.failure.ArgumentException;
import io.xfuser.internal.device.Gpus;
import io.xfuser.internal.kernels.FusedKernels;
import io.xfuser.internal.parallel.Transport;
import io.xfuser.internal.parallel.World;
import io.xfuser.internal.parallel.inprocess.InProcessRanks;
import io.xfuser.internal.parallel.inprocess.PeerCopies;
import io.xfuser.internal.plan.RankDevices;
import io.xfuser.parallel.SocketConfig;
import io.xfuser.torchscript.Torch;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * The ranks in this JVM. An environment says, where one does, which number a rank has on its
 * machine, how many there are, and how many threads each takes.
 *
 * @param world the others; null if all are here
 * @param onThisMachine how many ranks share the machine
 * @param devices where each computes
 * @param threads on which each computes
 */
record LocalRanks(
    @Nullable World world, int onThisMachine, List<Device> devices, List<RankThread> threads) {
  /** One of {@code world}. */
  static LocalRanks one(EngineConfig engine, World world, Map<String, String> environment) {
    engine.parallel().requireWorldSize(world.size());
    Device device = device(engine, world.rank(), environment);
    if (!world.device().equals(device)) {
      throw new ArgumentException(
          ("rank %d computes on %s, but its world carries tensors of %s: Worlds.connect makes"
                  + " one that fits")
              .formatted(world.rank(), Torch.name(device), Torch.name(world.device())));
    }
    int local = SocketConfig.localSize(environment, world.size());
    int threads = RankThread.threadsPerRank(engine.runtime().threads(), environment, local);
    RankThread thread = thread(engine, world.rank(), device, threads);
    return new LocalRanks(world, local, List.of(device), List.of(thread));
  }

  private static RankThread thread(EngineConfig engine, int rank, Device device, int threads) {
    return engine.runtime().fusedKernels()
        ? new RankThread(rank, device, threads, FusedKernels.on(device.getDeviceId()))
        : new RankThread(rank, device, threads);
  }

  /** All of them, each with the next place on this machine. */
  static LocalRanks all(EngineConfig engine, Map<String, String> environment) {
    int size = engine.parallel().worldSize();
    return all(engine, environment, IntStream.range(0, size).boxed().toList());
  }

  /**
   * All of them.
   *
   * @param places of each on this machine, which say on which GPU it computes
   */
  static LocalRanks all(
      EngineConfig engine, Map<String, String> environment, List<Integer> places) {
    int size = engine.parallel().worldSize();
    if (places.size() != size) {
      throw new ArgumentException(places.size() + " places for " + size + " ranks");
    }
    RankDevices gpus = new RankDevices(engine.runtime(), Gpus.found());
    List<Device> devices = places.stream().map(gpus::of).toList();
    int each = RankThread.threadsPerRank(engine.runtime().threads(), environment, size);
    return new LocalRanks(
        null,
        size,
        devices,
        IntStream.range(0, size)
            .mapToObj(rank -> thread(engine, rank, devices.get(rank), each))
            .toList());
  }

  /** The device of {@code rank}, which has a JVM of its own. */
  static Device device(EngineConfig engine, int rank, Map<String, String> environment) {
    return new RankDevices(engine.runtime(), Gpus.found())
        .of(SocketConfig.localRank(environment, rank));
  }

  /** Those that are here. */
  List<Integer> numbers() {
    return world == null
        ? IntStream.range(0, devices.size()).boxed().toList()
        : List.of(world.rank());
  }

  /** Whether no rank of their world was lost. */
  boolean complete() {
    return world == null || world.transport().isOpen();
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
        : new RankDevices(engine.runtime(), Gpus.found()).of(rank % onThisMachine);
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
