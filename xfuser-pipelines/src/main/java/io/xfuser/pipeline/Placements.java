package io.xfuser.pipeline;

import ai.djl.Device;
import io.xfuser.config.EngineConfig;
import io.xfuser.config.Offload;
import io.xfuser.internal.device.CopyStream;
import io.xfuser.internal.weights.Lora;
import io.xfuser.internal.weights.Prefetcher;
import io.xfuser.weights.Placement;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** Where the components of a pipeline are for its ranks, and who reads them ahead. */
final class Placements implements AutoCloseable {
  private final Map<PlaceAhead, Prefetcher> prefetchers = new ConcurrentHashMap<>();

  private record PlaceAhead(Device device, Offload.Residency residency) {}

  /** For a rank of {@code engine} that computes on {@code device}. */
  Placement of(EngineConfig engine, Device device, List<Lora> with) {
    Offload offload = engine.held();
    if (offload != Offload.LAYERWISE) {
      return new Placement(device, offload == Offload.SEQUENTIAL).with(with);
    }
    Prefetcher prefetcher =
        prefetchers.computeIfAbsent(
            new PlaceAhead(device, engine.runtime().residency()),
            key -> prefetcher(key.device(), key.residency().chunkBytes()));
    return Placement.ahead(device, prefetcher).with(with);
  }

  private static Prefetcher prefetcher(Device device, int chunkBytes) {
    return device.isGpu()
        ? new Prefetcher(chunkBytes, CopyStream.to(device.getDeviceId()))
        : new Prefetcher(chunkBytes);
  }

  @Override
  public void close() {
    prefetchers.values().forEach(Prefetcher::close);
  }
}
