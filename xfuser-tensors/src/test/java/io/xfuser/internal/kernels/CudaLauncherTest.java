package io.xfuser.internal.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.jna.Memory;
import com.sun.jna.Pointer;
import com.sun.jna.ptr.PointerByReference;
import io.xfuser.failure.PlatformException;
import java.lang.reflect.Proxy;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What is asked of CUDA's driver and compiler, in which order, and what is said if they refuse. */
class CudaLauncherTest {
  private static final Pointer CONTEXT = new Pointer(0xc0);
  private static final Pointer MODULE = new Pointer(0xd0);
  private static final Pointer FUNCTION = new Pointer(0xf0);
  private static final Launch LAUNCH =
      new Launch("modulate_bfloat16", 7, 96, List.of(0x1234567890L, 5, 0.5f));

  /** The calls, with what they were given but results. */
  private final List<String> calls = new ArrayList<>();

  private final Map<String, Integer> errors = new HashMap<>();
  private int architecture = 90;

  private CudaDriver driver() {
    return (CudaDriver)
        Proxy.newProxyInstance(
            CudaDriver.class.getClassLoader(),
            new Class<?>[] {CudaDriver.class},
            (proxy, method, arguments) -> answer(method.getName(), arguments));
  }

  private int answer(String call, Object[] given) {
    switch (call) {
      case "cuDeviceGet" -> ((int[]) given[0])[0] = 40 + (int) given[1];
      case "cuDeviceGetAttribute" ->
          ((int[]) given[0])[0] = (int) given[1] == 75 ? architecture / 10 : architecture % 10;
      case "cuDevicePrimaryCtxRetain" -> set(given[0], CONTEXT);
      case "cuModuleLoadData" -> set(given[0], MODULE);
      case "cuModuleGetFunction" -> set(given[0], FUNCTION);
      case "cuGetErrorName" -> {
        Memory name = new Memory(32);
        name.setString(0, "CUDA_ERROR_LAUNCH_FAILED");
        set(given[1], name);
        return (int) given[0] == 719 ? 0 : 1;
      }
      default -> {}
    }
    calls.add(
        switch (call) {
          case "cuDeviceGetAttribute", "cuInit" -> call;
          case "cuDeviceGet", "cuDevicePrimaryCtxRetain" -> call + " " + given[1];
          case "cuCtxPushCurrent_v2" -> call + " " + given[0].equals(CONTEXT);
          case "cuModuleLoadData" -> call + " " + Arrays.toString((byte[]) given[1]);
          case "cuModuleGetFunction" -> call + " " + given[1].equals(MODULE) + " " + given[2];
          case "cuLaunchKernel" -> call + " " + launched(given);
          default -> call;
        });
    return errors.getOrDefault(call, 0);
  }

  private static void set(Object reference, Pointer value) {
    ((PointerByReference) reference).setValue(value);
  }

  /** Grid, block, shared bytes and stream; then what the argument pointers point to. */
  private static String launched(Object[] given) {
    Pointer pointers = (Pointer) given[9];
    return given[0].equals(FUNCTION)
        + " "
        + Arrays.asList(given).subList(1, 9)
        + " "
        + pointers.getPointer(0).getLong(0)
        + " "
        + pointers.getPointer(8).getInt(0)
        + " "
        + pointers.getPointer(16).getFloat(0)
        + " "
        + given[10];
  }

  private CudaLauncher launcher() {
    return new CudaLauncher(driver(), () -> new KernelCompiler(nvrtc("")), 2);
  }

  /** Knows 8.0, 9.0 and 12.0, and rejects the text if it is to say something. */
  private Nvrtc nvrtc(String log) {
    return (Nvrtc)
        Proxy.newProxyInstance(
            Nvrtc.class.getClassLoader(),
            new Class<?>[] {Nvrtc.class},
            (proxy, method, arguments) -> compiled(log, method.getName(), arguments));
  }

  private Object compiled(String log, String call, Object[] given) {
    switch (call) {
      case "nvrtcGetNumSupportedArchs" -> ((int[]) given[0])[0] = 3;
      case "nvrtcGetSupportedArchs" -> System.arraycopy(new int[] {80, 90, 120}, 0, given[0], 0, 3);
      case "nvrtcCreateProgram" -> {
        assertThat((String) given[1]).contains("__global__ void modulate_");
        set(given[0], new Pointer(1));
      }
      case "nvrtcCompileProgram" -> {
        calls.add(call + " " + Arrays.toString((String[]) given[2]));
        return log.isEmpty() ? 0 : 6;
      }
      case "nvrtcGetProgramLogSize" -> ((long[]) given[1])[0] = log.length() + 1L;
      case "nvrtcGetProgramLog" ->
          System.arraycopy(log.getBytes(StandardCharsets.UTF_8), 0, given[1], 0, log.length());
      case "nvrtcGetCUBINSize", "nvrtcGetPTXSize" -> ((long[]) given[1])[0] = 2;
      case "nvrtcGetCUBIN" -> System.arraycopy(new byte[] {9, 0}, 0, given[1], 0, 2);
      case "nvrtcGetPTX" -> System.arraycopy(new byte[] {7, 0}, 0, given[1], 0, 2);
      case "nvrtcGetErrorString" -> {
        return "NVRTC_ERROR_COMPILATION";
      }
      case "nvrtcDestroyProgram" -> calls.add(call);
      default -> throw new AssertionError(call);
    }
    return 0;
  }

  @Test
  void kernelsAreCompiledForTheGpuAndLoadedInItsPrimaryContext() {
    CudaLauncher launcher = launcher();
    assertThat(calls)
        .containsExactly(
            "cuInit",
            "cuDeviceGet 2",
            "cuDeviceGetAttribute",
            "cuDeviceGetAttribute",
            "nvrtcCompileProgram [-std=c++17, -arch=sm_90]",
            "nvrtcDestroyProgram",
            "cuDevicePrimaryCtxRetain 42",
            "cuCtxPushCurrent_v2 true",
            "cuModuleLoadData [9, 0, 0]",
            "cuCtxPopCurrent_v2");
    KernelTensor there = new KernelTensor(16, 6, 1, 2, List.of(1L), List.of(1L));
    KernelTensor next = new KernelTensor(16, 6, 1, 3, List.of(1L), List.of(1L));
    KernelTensor host = new KernelTensor(16, 6, 0, 2, List.of(1L), List.of(1L));
    assertThat(launcher.reaches(there)).isTrue();
    assertThat(launcher.reaches(next)).isFalse();
    assertThat(launcher.reaches(host)).isFalse();
  }

  @Test
  void aLaunchIsOneInTheDefaultStreamAndLooksAFunctionUpOnce() {
    CudaLauncher launcher = launcher();
    calls.clear();
    launcher.launch(LAUNCH);
    launcher.launch(LAUNCH);
    String launched = "cuLaunchKernel true [7, 1, 1, 96, 1, 1, 0, null] 78187493520 5 0.5 null";
    assertThat(calls)
        .containsExactly(
            "cuCtxPushCurrent_v2 true",
            "cuModuleGetFunction true modulate_bfloat16",
            launched,
            "cuCtxPopCurrent_v2",
            "cuCtxPushCurrent_v2 true",
            launched,
            "cuCtxPopCurrent_v2");
  }

  @Test
  void anErrorIsToldByItsNameAndTheThreadComesBackToItsContext() {
    CudaLauncher launcher = launcher();
    errors.put("cuLaunchKernel", 719);
    assertThatThrownBy(() -> launcher.launch(LAUNCH))
        .isInstanceOf(PlatformException.class)
        .hasMessage(
            "cuLaunchKernel of modulate_bfloat16 failed on cuda:2: CUDA_ERROR_LAUNCH_FAILED");
    assertThat(calls).endsWith("cuCtxPopCurrent_v2");
    errors.put("cuLaunchKernel", 12345);
    assertThatThrownBy(() -> launcher.launch(LAUNCH)).hasMessageEndingWith(": CUDA's error 12345");
  }

  @Test
  void aGpuNewerThanTheCompilerGetsAText() {
    architecture = 103;
    CudaLauncher unused = launcher();
    assertThat(calls)
        .contains(
            "nvrtcCompileProgram [-std=c++17, -arch=compute_90]", "cuModuleLoadData [7, 0, 0]");
  }

  @Test
  void gpusThatAreTooOldAreRefusedWithTheirNumber() {
    architecture = 61;
    assertThatThrownBy(this::launcher)
        .isInstanceOf(PlatformException.class)
        .hasMessage(
            "fused_kernels need a GPU of compute capability 7.0, but that of cuda:2 is 6.1");
    architecture = 75; // the compiler has left it behind
    assertThatThrownBy(this::launcher)
        .hasMessage(
            "fused_kernels cannot be compiled: the GPU's architecture is 75, but libnvrtc compiles"
                + " for [80, 90, 120]");
  }

  @Test
  void whatTheCompilerRejectsIsToldInItsWords() {
    assertThatThrownBy(
            () ->
                new CudaLauncher(
                    driver(), () -> new KernelCompiler(nvrtc("fused.cu(7): error: ;")), 0))
        .hasMessage(
            "fused_kernels cannot be compiled: NVRTC_ERROR_COMPILATION: fused.cu(7): error: ;");
    assertThat(calls).endsWith("nvrtcDestroyProgram");
  }
}
