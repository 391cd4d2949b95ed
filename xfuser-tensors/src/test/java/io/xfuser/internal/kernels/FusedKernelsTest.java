package io.xfuser.internal.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import io.xfuser.failure.PlatformException;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Program;
import io.xfuser.torchscript.Torch;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The CUDA C text, compiled for the CPU and called by TorchScript, against libtorch's operators.
 */
class FusedKernelsTest {
  private static final Program PROGRAM = Program.load(FusedKernelsTest.class, "fused_calls.py");
  private static final List<ElementType> TYPES =
      List.of(ElementType.FLOAT32, ElementType.BFLOAT16, ElementType.FLOAT16);
  private static final int FLOAT32 = ElementType.FLOAT32.scalarType();
  private static final int BFLOAT16 = ElementType.BFLOAT16.scalarType();

  @BeforeAll
  static void prepare() {
    Torch.prepareThread(1);
  }

  /** Sums of fp32 depend on their order; what is rounded to 16 bits is hardly touched by that. */
  private static double units(ElementType type) {
    return type == ElementType.FLOAT32 ? 4 : 1;
  }

  private static Stream<Arguments> inAllTypes(long[]... sizes) {
    return Stream.of(sizes).flatMap(each -> TYPES.stream().map(type -> Arguments.of(each, type)));
  }

  static Stream<Arguments> tokens() {
    return inAllTypes(
        new long[] {1, 5, 64}, // whole runs of 16 bytes
        new long[] {2, 3, 40},
        new long[] {3, 4, 37}, // no whole runs
        new long[] {1, 2, 3}, // less than one
        new long[] {2, 2, 3072}, // several runs for each thread
        new long[] {1, 1, 2050});
  }

  @ParameterizedTest
  @MethodSource("tokens")
  void adaLnAndGatesEqualLibtorchs(long[] sizes, ElementType type) {
    CpuLauncher cpu = new CpuLauncher();
    compareTokens(cpu, Device.cpu(), sizes, type);
    assertThat(cpu.launched()).hasSize(5);
    assertThat(cpu.launched().get(0).blocks()).isEqualTo((int) (sizes[0] * sizes[1]));
    assertThat(cpu.launched().get(0).threads() % 32).isZero();
    assertThat(cpu.launched().stream().map(Launch::kernel).distinct())
        .containsExactly("modulate_" + type.torchName(), "add_gated_" + type.torchName());
  }

  @Tag("gpu")
  @ParameterizedTest
  @MethodSource("tokens")
  void aGpusAdaLnAndGatesToo(long[] sizes, ElementType type) {
    compareTokens(CudaLauncher.of(0), Device.gpu(0), sizes, type);
  }

  private static void compareTokens(
      Launcher launcher, Device device, long[] sizes, ElementType type) {
    try (NDManager manager = Torch.newManager()) {
      NDList in = made(manager, device, "inputs", sizes, type.scalarType(), 2);
      NDArray x = in.get(0);
      assertSame(launcher, type, "adaln", x, in.get(2), in.get(3));
      assertSame(launcher, type, "gated", x, in.get(1), in.get(4));
      assertSame(launcher, type, "gated_in_place", x, in.get(1), in.get(4));
      // one shift, factor and gate for all rows of the batch
      assertSame(
          launcher, type, "adaln", x, firstRow(manager, in.get(2)), firstRow(manager, in.get(3)));
      assertSame(launcher, type, "gated", x, in.get(1), Torch.slice(manager, in.get(4), 0, 0, 1));
    }
  }

  private static NDList made(NDManager manager, Device device, String function, Object... given) {
    return PROGRAM.callList(
        manager, "on", PROGRAM.callList(manager, function, given), Torch.name(device));
  }

  private static NDArray firstRow(NDManager manager, NDArray vectors) {
    return PROGRAM.call(manager, "first_row", vectors);
  }

  static Stream<Arguments> heads() {
    return inAllTypes(
        new long[] {1, 6, 3, 64, 4}, // batch, tokens, heads, head size, tokens that turn
        new long[] {2, 5, 2, 128, 5},
        new long[] {1, 3, 2, 72, 0},
        new long[] {2, 4, 1, 256, 2},
        new long[] {1, 3, 5, 6, 3}, // no whole runs of 16 bytes
        new long[] {1, 2, 2, 5, 0}, // no pairs
        new long[] {1, 1, 1, 252, 1});
  }

  @ParameterizedTest
  @MethodSource("heads")
  void normsAndRotationsEqualLibtorchs(long[] sizes, ElementType type) {
    CpuLauncher cpu = new CpuLauncher();
    compareHeads(cpu, Device.cpu(), sizes, type);
    assertThat(cpu.launched()).hasSize(1);
    assertThat(cpu.launched().get(0).kernel()).isEqualTo("norm_rotate_" + type.torchName());
  }

  @Tag("gpu")
  @ParameterizedTest
  @MethodSource("heads")
  void aGpusNormsAndRotationsToo(long[] sizes, ElementType type) {
    compareHeads(CudaLauncher.of(0), Device.gpu(0), sizes, type);
  }

  private static void compareHeads(
      Launcher launcher, Device device, long[] sizes, ElementType type) {
    try (NDManager manager = Torch.newManager()) {
      NDList in = made(manager, device, "heads", sizes, type.scalarType(), sizes[4]);
      assertSame(launcher, type, "turned", in.get(0), in.get(1), in.get(2));
    }
  }

  private static void assertSame(
      Launcher launcher, ElementType type, String function, Object... given) {
    try (NDManager manager = Torch.newManager()) {
      NDArray ours = CpuLauncher.with(launcher, () -> PROGRAM.call(manager, function, given));
      NDArray plain = PROGRAM.call(manager, function, given);
      NDArray terms = PROGRAM.call(manager, function.split("_", 2)[0] + "_terms", given);
      assertThat(PROGRAM.callDouble("ulps", ours, plain, terms))
          .as(function)
          .isLessThanOrEqualTo(units(type));
    }
  }

  @Test
  void whatNoKernelTakesLibtorchComputes() {
    CpuLauncher cpu = new CpuLauncher();
    long[] sizes = {1, 2, 8};
    try (NDManager manager = Torch.newManager()) {
      NDList wide = PROGRAM.callList(manager, "heads", new long[] {1, 2, 1, 258}, FLOAT32, 2);
      NDList in = PROGRAM.callList(manager, "inputs", sizes, FLOAT32, 0);
      NDList half = PROGRAM.callList(manager, "inputs", sizes, BFLOAT16, 0);
      NDList empty = PROGRAM.callList(manager, "inputs", new long[] {1, 0, 8}, FLOAT32, 0);
      assertPlain(cpu, "turned", wide.get(0), wide.get(1), wide.get(2)); // heads over 256
      assertPlain(cpu, "gated", in.get(0), in.get(1), half.get(4)); // of two types
      assertPlain(cpu, "gate_alone", in.get(0), in.get(1), in.get(4));
      assertPlain(cpu, "adaln", empty.get(0), empty.get(2), empty.get(3));
    }
  }

  private static void assertPlain(CpuLauncher cpu, String function, Object... given) {
    try (NDManager manager = Torch.newManager()) {
      NDArray ours = CpuLauncher.with(cpu, () -> PROGRAM.call(manager, function, given));
      NDArray plain = PROGRAM.call(manager, function, given);
      assertThat(PROGRAM.callLong("same", ours, plain)).as(function).isEqualTo(1);
    }
    assertThat(cpu.launched()).isEmpty();
  }

  @Test
  void aFailedLaunchEndsTheCallInOneSentenceAndTheNextOneIsTried() {
    int[] left = {1};
    Launcher failing =
        new Launcher() {
          @Override
          public boolean reaches(KernelTensor tensor) {
            return true;
          }

          @Override
          public void launch(Launch launch) {
            if (left[0]-- > 0) {
              throw new PlatformException("cuLaunchKernel failed on cuda:0: CUDA_ERROR_UNKNOWN");
            }
          }
        };
    try (NDManager manager = Torch.newManager()) {
      NDList in = PROGRAM.callList(manager, "inputs", new long[] {1, 2, 8}, FLOAT32, 0);
      Object[] given = {in.get(0), in.get(2), in.get(3)};
      NDArray second =
          CpuLauncher.with(
              failing,
              () -> {
                assertThatThrownBy(() -> PROGRAM.call(manager, "adaln", given))
                    .hasMessage(
                        "FusedKernelsTest[fused_calls.py].adaln: cuLaunchKernel failed on cuda:0:"
                            + " CUDA_ERROR_UNKNOWN");
                return PROGRAM.call(manager, "adaln", given);
              });
      assertThat(second.getShape()).isEqualTo(in.get(0).getShape());
    }
    assertThat(left[0]).isEqualTo(-1);
  }

  @Test
  void threadsWithoutKernelsNeverComeHere() {
    CpuLauncher cpu = new CpuLauncher();
    try (NDManager manager = Torch.newManager()) {
      NDList in = PROGRAM.callList(manager, "inputs", new long[] {1, 2, 8}, FLOAT32, 0);
      FusedKernels registered = new FusedKernels(cpu);
      PROGRAM.call(manager, "adaln", in.get(0), in.get(2), in.get(3));
      assertThat(FusedKernels.ofThread()).isEmpty();
      assertThat(registered.takeFailure()).isEmpty();
    }
    assertThat(cpu.launched()).isEmpty();
  }
}
