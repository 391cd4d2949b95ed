package io.xfuser.internal.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.xfuser.failure.PlatformException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.opentest4j.TestAbortedException;

/** CUDA's compiler needs no GPU, where there is one ({@code LD_LIBRARY_PATH} to libnvrtc). */
class KernelCompilerTest {
  @Test
  void theTextCompilesForEveryGpuThatMayComeHere() {
    KernelCompiler compiler = compiler();
    for (int architecture : new int[] {80, 90, 120}) {
      byte[] code = compiler.compile(KernelCompiler.text(), architecture);
      assertThat(new String(code, 0, 4, StandardCharsets.ISO_8859_1)).isEqualTo("\u007fELF");
      assertThat(new String(code, StandardCharsets.ISO_8859_1))
          .contains("norm_rotate_bfloat16", "modulate_float16", "add_gated_float32");
    }
    assertThat(new String(compiler.compile(KernelCompiler.text(), 999), StandardCharsets.US_ASCII))
        .contains(".entry norm_rotate_bfloat16");
  }

  @Test
  void anErrorIsToldWithItsLine() {
    KernelCompiler compiler = compiler();
    assertThatThrownBy(() -> compiler.compile("__global__ void f() { x = 1; }", 80))
        .isInstanceOf(PlatformException.class)
        .hasMessageStartingWith(
            "fused_kernels cannot be compiled: NVRTC_ERROR_COMPILATION: fused.cu(1)");
  }

  private static KernelCompiler compiler() {
    try {
      return KernelCompiler.find();
    } catch (PlatformException e) {
      throw new TestAbortedException(e.getMessage());
    }
  }

  @Test
  void theCompilerIsLookedForBesideLibtorchAndInPipsPackage(@TempDir Path folder)
      throws IOException {
    Path torch = Files.createDirectories(folder.resolve("torch/lib"));
    Path pip = Files.createDirectories(folder.resolve("nvidia/cuda_nvrtc/lib"));
    Path own = Files.createFile(torch.resolve("libnvrtc-b51b459d.so.12"));
    Path other = Files.createFile(pip.resolve("libnvrtc.so.12"));
    Files.createFile(pip.resolve("libnvrtc-builtins.so.12.9"));
    assertThat(KernelCompiler.beside(torch.resolve("libtorch_cuda.so")))
        .isEqualTo(List.of(own.toString(), other.toString()));
  }
}
