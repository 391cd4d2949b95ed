package io.xfuser.torchscript;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDManager;
import io.xfuser.failure.MemoryException;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Whatever way memory runs out, the first line says so. */
class MemoryExceptionTest {
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "[enforce fail at alloc_cpu.cpp:119] err == 0. DefaultCPUAllocator: can't allocate memory:"
            + " you tried to allocate 12000000000 bytes. Error code 12 (Cannot allocate memory)"
            + "|, 12000000000 bytes more were needed (12.0 GB)",
        "CUDA out of memory. Tried to allocate 20.00 GiB. GPU 0 has a total capacity of 79 GiB"
            + "|on the GPU, 20.00 GiB more were needed",
        "unable to mmap 9524 bytes from file </m/model.safetensors>: Cannot allocate memory (12)"
            + "|, 9524 bytes more were needed (9.5 kB)",
        "CUDA error: out of memory |on the GPU",
        "std::bad_alloc |''",
        "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling cublasCreate(handle) |on the GPU"
      })
  void whatLibrariesSayIsOneSentence(String message, String asked) {
    Throwable failure =
        new IllegalStateException("x", new RuntimeException("The following\n" + message));
    assertThat(MemoryException.of(failure, "decoding").orElseThrow())
        .hasMessage("out of memory while decoding" + (asked.startsWith("on") ? " " : "") + asked)
        .hasCause(failure);
  }

  @Test
  void whatAProgramCannotAllocateIsToldByWhatWasBeingDone() {
    long tooMuch = 1L << 50; // no address space has room for it
    try (NDManager manager = Torch.newManager()) {
      assertThatThrownBy(() -> Torch.empty(manager, ElementType.UINT8, tooMuch))
          .isInstanceOf(MemoryException.class)
          .hasMessageStartingWith(
              "Torch[tensors.py].empty: out of memory, 1125899906842624 bytes more were needed");
      Throwable inner = catchThrowableOf(manager, tooMuch);
      assertThat(MemoryException.of(inner, "decoding").orElseThrow().withRemedy("buy some"))
          .hasMessage(
              "out of memory while decoding, 1125899906842624 bytes more were needed (1.1 PB);"
                  + " buy some");
      assertThat(Torch.empty(manager, ElementType.UINT8, 1).size()).isEqualTo(1);
    }
  }

  private static Throwable catchThrowableOf(NDManager manager, long bytes) {
    return org.assertj.core.api.Assertions.catchThrowable(
        () -> Torch.empty(manager, ElementType.UINT8, bytes));
  }

  @Test
  void javasOwnMemoryIsNamed() {
    assertThat(MemoryException.of(new OutOfMemoryError("Java heap space"), "decoding"))
        .hasValueSatisfying(
            full ->
                assertThat(full)
                    .hasMessageMatching(
                        "out of memory while decoding: Java's own memory, [\\d.]+ [MGT]B, is full"
                            + " \\(Java heap space\\)"));
  }

  @Test
  void anotherFailureIsNoMatterOfMemory() {
    assertThat(MemoryException.of(new IllegalStateException("a tensor is missing"), "x"))
        .isEqualTo(Optional.empty());
  }
}
