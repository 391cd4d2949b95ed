package io.xfuser.internal.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ai.djl.Device;
import io.xfuser.internal.natives.LoadedLibraries;
import io.xfuser.torchscript.Torch;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DeviceMemoryTest {
  /** The layouts of pip, of DJL's natives, and of a system. */
  @ParameterizedTest
  @CsvSource({
    "cudart, /v/lib/python3.11/site-packages/nvidia/cuda_runtime/lib/libcudart.so.12",
    "cudart, /root/.djl.ai/pytorch/2.7.1-cu128-linux-x86_64/libcudart-9335f6a2.so.12",
    "cudart, /usr/local/cuda 12.6/lib64/libcudart.so.12.6.77",
    "cudnn, /v/nvidia/cudnn/lib/libcudnn.so.9",
    "c10, /opt/torch/lib/libc10.so"
  })
  void aLibraryIsFoundByItsFile(String name, String file) {
    Stream<String> maps =
        Stream.of(
            "7f1c00000000-7f1c00021000 rw-p 00000000 00:00 0 ",
            "7f1c3a000000-7f1c3a0b0000 r--p 00000000 08:01 77       /v/lib/libcudnn_graph.so.9",
            "7f1c3a000000-7f1c3a0b0000 r--p 00000000 08:01 78       /v/lib/libc10_cuda.so",
            "7f1c3a100000-7f1c3a1b0000 r-xp 00000000 08:01 79                         " + file,
            "7ffd1d5f2000-7ffd1d613000 rw-p 00000000 00:00 0                          [stack]");
    assertThat(LoadedLibraries.file(name, maps)).hasValue(file);
  }

  @Test
  void whatLibtorchHasLoadedIsFoundAndCanBeAsked() {
    assumeTrue(Files.exists(Path.of("/proc/self/maps")));
    Torch.newManager().close();
    assertThat(LoadedLibraries.file("c10"))
        .hasValueSatisfying(file -> assertThat(Path.of(file)).exists());
    assertThat(LoadedLibraries.file("no_such_library")).isEmpty();
  }

  /** A runtime with two GPUs. */
  private static final class Simulated implements DeviceMemory.CudaMemory {
    private final List<Integer> entered = new ArrayList<>();
    private int current;
    private int error;
    private int last;

    private int answer() {
      last = error == 0 ? last : error;
      return error;
    }

    @Override
    public int cudaGetDevice(int[] gpu) {
      gpu[0] = current;
      return 0;
    }

    @Override
    public int cudaSetDevice(int gpu) {
      current = gpu;
      entered.add(gpu);
      return 0;
    }

    @Override
    public int cudaMemGetInfo(long[] free, long[] total) {
      free[0] = 10L + current;
      total[0] = 100;
      return answer();
    }

    @Override
    public int cudaGetLastError() {
      int taken = last;
      last = 0;
      return taken;
    }
  }

  @Test
  void aGpuIsAskedAndTheThreadStaysWhereItWas() {
    Simulated cuda = new Simulated();
    assertThat(DeviceMemory.taken(cuda, 0)).hasValue(90);
    assertThat(cuda.entered).isEmpty(); // a look at the own GPU enters none
    assertThat(DeviceMemory.taken(cuda, 1)).hasValue(89);
    assertThat(cuda.entered).containsExactly(1, 0);
  }

  @Test
  void aFailureIsNoFigureAndFailsNoLaterLaunch() {
    Simulated cuda = new Simulated();
    cuda.error = 2;
    assertThat(DeviceMemory.taken(cuda, 1)).isEqualTo(OptionalLong.empty());
    assertThat(cuda.last).isZero();
    assertThat(cuda.current).isZero();
  }

  @Test
  void theCpuHasNone() {
    assertThat(DeviceMemory.taken(Device.cpu())).isEmpty();
  }
}
