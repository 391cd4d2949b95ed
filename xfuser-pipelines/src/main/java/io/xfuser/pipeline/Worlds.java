package io.xfuser.pipeline;

import ai.djl.Device;
import io.xfuser.config.EngineConfig;
import io.xfuser.internal.parallel.Fingerprint;
import io.xfuser.internal.parallel.Machines;
import io.xfuser.internal.parallel.World;
import io.xfuser.internal.parallel.nccl.GpuWorld;
import io.xfuser.internal.parallel.socket.SocketWorld;
import io.xfuser.parallel.SocketConfig;
import io.xfuser.torchscript.Libtorch;
import java.time.Duration;

/** How ranks with JVMs of their own come together, and what they must have alike. */
public final class Worlds {
  private Worlds() {}

  /** See {@link XDiTParallel#join}. */
  static World join(DiffusionPipeline pipeline, EngineConfig engine, SocketConfig place) {
    engine.parallel().requireWorldSize(place.size());
    Fingerprint alike = fingerprint(pipeline, engine, place.rank());
    return connect(engine, SocketWorld.join(place, alike), place.limits().message());
  }

  /**
   * The ranks of {@code world}, each of which has a JVM, exchanging tensors of the engine's device,
   * on GPUs by {@link GpuWorld#over}, and knowing on which machines they are. Which GPU is this
   * rank's, {@link #device} says. Closing what is returned closes {@code world}, and so does a
   * failure.
   *
   * @param timeout how long NCCL's work may take before it counts as failed
   * @throws IllegalArgumentException if the engine's device cannot be had, or some ranks compute on
   *     GPUs and others do not
   */
  public static World connect(EngineConfig engine, World world, Duration timeout) {
    try {
      Device device = device(engine, world.rank());
      world.requireEqual(kind(device));
      Machines machines = Machines.of(world);
      return GpuWorld.over(world, device, timeout).on(machines);
    } catch (RuntimeException e) {
      world.close();
      throw e;
    }
  }

  /**
   * Where a rank with a JVM of its own computes: on the GPU that the engine names, else on the one
   * of its number on this machine, {@code LOCAL_RANK} or {@code SLURM_LOCALID}.
   *
   * @param rank its number on a machine that does not say
   * @throws IllegalArgumentException if the engine's device cannot be had
   */
  public static Device device(EngineConfig engine, int rank) {
    return LocalRanks.device(engine, rank, System.getenv());
  }

  /**
   * What this rank must have alike with all others, whatever they are asked for: versions, settings
   * and model.
   *
   * @param rank its number on a machine that does not say
   * @throws IllegalArgumentException if the engine's device cannot be had
   */
  public static Fingerprint fingerprint(DiffusionPipeline pipeline, EngineConfig engine, int rank) {
    return Fingerprint.EMPTY
        .with("xfuser", World.class.getPackage().getImplementationVersion())
        .with("libtorch", Libtorch.version())
        .and(kind(device(engine, rank)))
        .and(RequestFingerprint.settings(engine.parallel()))
        .and(RequestFingerprint.settings(engine.runtime()))
        .and(pipeline.fingerprint());
  }

  /** Ranks on GPUs exchange what ranks on the CPU do not. */
  private static Fingerprint kind(Device device) {
    return Fingerprint.EMPTY.with("device", device.isGpu() ? "cuda" : "cpu");
  }
}
