package io.xfuser.pipeline;

import ai.djl.Device;
import io.xfuser.config.EngineConfig;
import io.xfuser.parallel.Fingerprint;
import io.xfuser.parallel.World;
import io.xfuser.torchscript.Libtorch;

/**
 * What ranks in JVMs of their own must have alike, whatever they are asked for: versions, settings
 * and model. For {@code SocketWorld.join}, which compares it when they meet.
 */
public final class EngineFingerprint {
  private EngineFingerprint() {}

  /**
   * That of this rank.
   *
   * @param rank its number on a machine that does not say
   * @throws IllegalArgumentException if the engine's device cannot be had
   */
  public static Fingerprint of(DiffusionPipeline pipeline, EngineConfig engine, int rank) {
    return Fingerprint.EMPTY
        .with("xfuser", World.class.getPackage().getImplementationVersion())
        .with("libtorch", Libtorch.version())
        .and(device(XDiTParallel.device(engine, rank)))
        .and(RequestFingerprint.settings(engine.parallel()))
        .and(RequestFingerprint.settings(engine.runtime()))
        .and(pipeline.fingerprint());
  }

  /** Ranks on GPUs exchange what ranks on the CPU do not. */
  static Fingerprint device(Device device) {
    return Fingerprint.EMPTY.with("device", device.isGpu() ? "cuda" : "cpu");
  }
}
