package io.xfuser.internal.device;

import ai.djl.Device;
import ai.djl.engine.EngineException;
import ai.djl.util.cuda.CudaUtils;
import com.sun.jna.Library;
import com.sun.jna.Native;
import io.xfuser.internal.natives.LoadedLibraries;
import java.lang.management.MemoryUsage;
import java.util.Optional;
import java.util.OptionalLong;

/** How much memory of a device is taken. */
public final class DeviceMemory {
  private DeviceMemory() {}

  /** What is asked of CUDA's runtime, the one that libtorch has loaded; each returns an error. */
  interface CudaMemory extends Library {
    int cudaGetDevice(int[] gpu);

    int cudaSetDevice(int gpu);

    int cudaMemGetInfo(long[] free, long[] total);

    int cudaGetLastError();
  }

  private static final class CudaRuntime {
    static final Optional<CudaMemory> RUNTIME = load();

    private static Optional<CudaMemory> load() {
      try {
        return LoadedLibraries.file("cudart")
            .map(file -> Native.load(file, CudaMemory.class, LoadedLibraries.OPENED));
      } catch (LinkageError e) {
        return Optional.empty();
      }
    }
  }

  /**
   * Bytes of a GPU's memory that are taken, by whatever program, as its driver counts them.
   * libtorch keeps what it has freed for the next tensors, so this falls only if it runs out.
   * Nothing on the CPU, and where CUDA's runtime library is neither one that this process has
   * loaded nor one that DJL finds.
   */
  public static OptionalLong taken(Device device) {
    return memory(device).map(Memory::taken).map(OptionalLong::of).orElseGet(OptionalLong::empty);
  }

  /** Bytes of memory that a GPU has; nothing where {@link #taken} tells nothing. */
  public static OptionalLong total(Device device) {
    return memory(device).map(Memory::total).map(OptionalLong::of).orElseGet(OptionalLong::empty);
  }

  /** Bytes of a GPU's memory. */
  record Memory(long taken, long total) {}

  private static Optional<Memory> memory(Device device) {
    if (!device.isGpu()) {
      return Optional.empty();
    }
    return CudaRuntime.RUNTIME
        .map(cuda -> memory(cuda, device.getDeviceId()))
        .orElseGet(() -> asDjlFinds(device));
  }

  private static Optional<Memory> asDjlFinds(Device device) {
    try {
      MemoryUsage usage = CudaUtils.getGpuMemory(device);
      return Optional.of(new Memory(usage.getCommitted(), usage.getMax()));
    } catch (IllegalStateException | EngineException | LinkageError e) {
      return Optional.empty(); // a figure for the report, not worth a failure
    }
  }

  static OptionalLong taken(CudaMemory cuda, int gpu) {
    return memory(cuda, gpu)
        .map(Memory::taken)
        .map(OptionalLong::of)
        .orElseGet(OptionalLong::empty);
  }

  /** On whatever GPU the calling thread is, where it stays. */
  static Optional<Memory> memory(CudaMemory cuda, int gpu) {
    int[] current = {0};
    long[] free = {0};
    long[] total = {0};
    boolean told =
        cuda.cudaGetDevice(current) == 0
            && (current[0] == gpu || cuda.cudaSetDevice(gpu) == 0)
            && cuda.cudaMemGetInfo(free, total) == 0;
    if (!told) {
      int unused = cuda.cudaGetLastError(); // libtorch would take it for an error of its own
    }
    if (current[0] != gpu) {
      int unused = cuda.cudaSetDevice(current[0]); // where it was a moment ago
    }
    return told ? Optional.of(new Memory(total[0] - free[0], total[0])) : Optional.empty();
  }
}
