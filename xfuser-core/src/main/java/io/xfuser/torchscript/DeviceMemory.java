package io.xfuser.torchscript;

import ai.djl.Device;
import ai.djl.engine.EngineException;
import ai.djl.util.cuda.CudaUtils;
import java.util.OptionalLong;

/** How much memory of a device is taken. */
public final class DeviceMemory {
  private DeviceMemory() {}

  /**
   * Bytes of a GPU's memory that are taken, by whatever program, as its driver counts them.
   * libtorch keeps what it has freed for the next tensors, so this falls only if it runs out.
   * Nothing on the CPU, and where CUDA's runtime library cannot be found by its name {@code
   * cudart}.
   */
  public static OptionalLong taken(Device device) {
    if (!device.isGpu()) {
      return OptionalLong.empty();
    }
    try {
      return OptionalLong.of(CudaUtils.getGpuMemory(device).getCommitted());
    } catch (IllegalStateException | EngineException | LinkageError e) {
      return OptionalLong.empty(); // a figure for the report, not worth a failure
    }
  }
}
