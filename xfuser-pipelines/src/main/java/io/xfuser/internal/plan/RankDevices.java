package io.xfuser.internal.plan;

import ai.djl.Device;
import io.xfuser.config.DeviceChoice;
import io.xfuser.config.RuntimeConfig;
import io.xfuser.failure.ArgumentException;
import io.xfuser.internal.device.Gpus;

/**
 * Which device each rank computes on.
 *
 * @param runtime what was asked for
 * @param gpus what there is
 */
public record RankDevices(RuntimeConfig runtime, Gpus gpus) {
  /**
   * Refuses what cannot be had.
   *
   * @throws ArgumentException in one sentence that says what was found
   */
  public RankDevices {
    DeviceChoice asked = runtime.device();
    if (asked.kind() == DeviceChoice.DeviceType.CUDA) {
      requireGpu(RuntimeConfig.DEVICE.with(asked), gpus);
      if (asked.index() >= gpus.count()) {
        throw new ArgumentException(
            "device %s cannot be had: the GPUs found are %s"
                .formatted(asked, gpus.count() == 1 ? "cuda:0 alone" : all(gpus)));
      }
    }
    runtime.forGpus().ifPresent(option -> requireGpu(option, gpus));
    if (asked.kind() != DeviceChoice.DeviceType.CPU && gpus.count() > 0) {
      Gpus.requireOneStream();
    }
  }

  private static String all(Gpus gpus) {
    return "cuda:0 to cuda:" + (gpus.count() - 1);
  }

  private static void requireGpu(String asked, Gpus gpus) {
    if (!gpus.cuda()) {
      throw new ArgumentException(
          asked
              + " cannot be had: this libtorch is one for CPUs only; DJL's cu128 natives, or"
              + " PYTORCH_LIBRARY_PATH, bring one with CUDA");
    }
    if (gpus.count() == 0) {
      throw new ArgumentException(asked + " cannot be had: libtorch finds no GPU");
    }
  }

  /**
   * The device of a rank: the GPU that all share if one is named, else the next one for each.
   *
   * @param rank among those of this machine, or of this JVM
   */
  public Device of(int rank) {
    DeviceChoice asked = runtime.device();
    if (asked.kind() == DeviceChoice.DeviceType.CPU || gpus.count() == 0) {
      return Device.cpu();
    }
    // a launcher may leave each of its processes one GPU, which is then the first for all of them
    return Device.gpu(asked.isOneGpu() ? asked.index() : rank % gpus.count());
  }
}
