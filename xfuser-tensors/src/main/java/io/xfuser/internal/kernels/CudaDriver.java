package io.xfuser.internal.kernels;

import com.sun.jna.Library;
import com.sun.jna.Pointer;
import com.sun.jna.ptr.PointerByReference;
import org.jspecify.annotations.Nullable;

/** What is asked of CUDA's driver, {@code libcuda}; each returns 0 or an error's number. */
interface CudaDriver extends Library {
  int cuInit(int flags);

  int cuDeviceGet(int[] device, int index);

  int cuDeviceGetAttribute(int[] value, int attribute, int device);

  int cuDevicePrimaryCtxRetain(PointerByReference context, int device);

  int cuCtxPushCurrent_v2(Pointer context);

  int cuCtxPopCurrent_v2(PointerByReference context);

  int cuModuleLoadData(PointerByReference module, byte[] image);

  int cuModuleGetFunction(PointerByReference function, Pointer module, String name);

  @SuppressWarnings("PMD") // CUDA's
  int cuLaunchKernel(
      Pointer function,
      int gridX,
      int gridY,
      int gridZ,
      int blockX,
      int blockY,
      int blockZ,
      int sharedBytes,
      @Nullable Pointer stream,
      Pointer arguments,
      @Nullable Pointer extra);

  int cuGetErrorName(int error, PointerByReference name);
}
