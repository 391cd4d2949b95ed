package io.xfuser.internal.kernels;

import com.sun.jna.Native;
import com.sun.jna.Pointer;
import com.sun.jna.ptr.PointerByReference;
import io.xfuser.failure.PlatformException;
import io.xfuser.internal.failure.Reason;
import io.xfuser.internal.natives.LoadedLibraries;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;

/**
 * Starts kernels on one GPU, in the legacy default stream of its primary context: libtorch's own,
 * so that they are in order with what it starts.
 */
final class CudaLauncher implements Launcher {
  /** Those of this process: what is loaded stays as long as the context does. */
  private static final Map<Integer, CudaLauncher> LOADED = new ConcurrentHashMap<>();

  private static final int CUDA = 1; // c10::DeviceType
  private static final int MAJOR = 75; // CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR
  private static final int MINOR = 76;
  private static final int LEAST = 70; // shuffles of named lanes

  private final CudaDriver driver;
  private final int gpu;
  private final Pointer context;
  private final Pointer module;
  private final Map<String, Pointer> functions = new ConcurrentHashMap<>();

  /** On the GPU of this index, compiled at the first call for it. */
  static CudaLauncher of(int gpu) {
    return LOADED.computeIfAbsent(
        gpu, index -> new CudaLauncher(driver(), KernelCompiler::find, index));
  }

  private static CudaDriver driver() {
    try {
      return Native.load("libcuda.so.1", CudaDriver.class, LoadedLibraries.OPENED);
    } catch (LinkageError e) {
      throw new PlatformException("fused_kernels need CUDA's driver, libcuda: " + Reason.of(e), e);
    }
  }

  /** Compiles and loads; {@code compiler} is asked for if the GPU can have the kernels. */
  CudaLauncher(CudaDriver driver, Supplier<KernelCompiler> compiler, int gpu) {
    this.driver = driver;
    this.gpu = gpu;
    int[] device = new int[1];
    require(driver.cuInit(0), "cuInit");
    require(driver.cuDeviceGet(device, gpu), "cuDeviceGet");
    int architecture = 10 * attribute(MAJOR, device[0]) + attribute(MINOR, device[0]);
    if (architecture < LEAST) {
      throw new PlatformException(
          "fused_kernels need a GPU of compute capability 7.0, but that of cuda:%d is %d.%d"
              .formatted(gpu, architecture / 10, architecture % 10));
    }
    byte[] code = compiler.get().compile(KernelCompiler.text(), architecture);
    PointerByReference made = new PointerByReference();
    require(driver.cuDevicePrimaryCtxRetain(made, device[0]), "cuDevicePrimaryCtxRetain");
    context = made.getValue();
    inContext(() -> require(driver.cuModuleLoadData(made, code), "cuModuleLoadData"));
    module = made.getValue();
  }

  private int attribute(int attribute, int device) {
    int[] value = new int[1];
    require(driver.cuDeviceGetAttribute(value, attribute, device), "cuDeviceGetAttribute");
    return value[0];
  }

  @Override
  public boolean reaches(KernelTensor tensor) {
    return tensor.deviceType() == CUDA && tensor.device() == gpu;
  }

  @Override
  public void launch(Launch launch) {
    Pointer arguments = launch.pointers();
    inContext(
        () ->
            require(
                driver.cuLaunchKernel(
                    functions.computeIfAbsent(launch.kernel(), this::function),
                    launch.blocks(),
                    1,
                    1,
                    launch.threads(),
                    1,
                    1,
                    0,
                    null,
                    arguments,
                    null),
                "cuLaunchKernel of " + launch.kernel()));
  }

  private Pointer function(String kernel) {
    PointerByReference function = new PointerByReference();
    require(
        driver.cuModuleGetFunction(function, module, kernel), "cuModuleGetFunction of " + kernel);
    return function.getValue();
  }

  /** The calling thread comes back to the context that it had. */
  private void inContext(Runnable calls) {
    require(driver.cuCtxPushCurrent_v2(context), "cuCtxPushCurrent");
    try {
      calls.run();
    } finally {
      int unused = driver.cuCtxPopCurrent_v2(new PointerByReference());
    }
  }

  private void require(int error, String call) {
    if (error != 0) {
      PointerByReference name = new PointerByReference();
      boolean named = driver.cuGetErrorName(error, name) == 0 && name.getValue() != null;
      throw new PlatformException(
          "%s failed on cuda:%d: %s"
              .formatted(
                  call, gpu, named ? name.getValue().getString(0) : "CUDA's error " + error));
    }
  }
}
