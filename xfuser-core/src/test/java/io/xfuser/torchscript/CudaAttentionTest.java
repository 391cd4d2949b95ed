package io.xfuser.torchscript;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The text for CUDA, run on the CPU: its kernels are simulated, with the paddings and shapes that
 * libtorch documents. Whether a GPU's kernels are like that is for tests on a GPU.
 */
class CudaAttentionTest {
  private static final String ATTENTION =
      ModuleArchive.read(CudaAttentionTest.class, "/io/xfuser/internal/attention/attention.py");

  private static final String SIMULATED =
      ATTENTION
          .replace("q.is_cpu", "False")
          .replace("torch._scaled_dot_product_flash_attention(", "self.flash(")
          .replace("torch._scaled_dot_product_efficient_attention(", "self.efficient(");

  private static final String OTHERS =
      Prelude.text(Prelude.products(), new HalfPrecision(false, false))
          + ModuleArchive.read(CudaAttentionTest.class, "half_precision_test.py")
          + ModuleArchive.read(CudaAttentionTest.class, "cuda_attention_test.py");

  private static final Map<String, Program> COMPILED = new ConcurrentHashMap<>();

  @BeforeEach
  void prepare() {
    Torch.prepareThread(1);
  }

  @ParameterizedTest
  @CsvSource({
    "sdpa_flash, 64, 16",
    "sdpa_flash, 37, 12",
    "sdpa_efficient, 64, 16",
    "sdpa_efficient, 37, 12",
    "cudnn, 64, 16",
    "cudnn, 37, 12",
    "sdpa_math, 37, 12"
  })
  void paddingAndShapesOfEachKernelAreUndone(String kernel, int tokens, int head) {
    for (String cudnn : List.of("cudnn", "later_cudnn")) {
      Program program = program(cudnn, 0);
      try (NDManager manager = Torch.newManager()) {
        NDArray packed = packed(program, manager, tokens, head);
        assertAttends(program, manager, packed, "local", kernel);
        assertAttends(program, manager, packed, "ring", kernel);
      }
    }
  }

  @ParameterizedTest
  @CsvSource({
    "fastest, 0, sdpa_math",
    "fastest, 1, sdpa_flash",
    "sdpa, 2, sdpa_efficient",
    "sdpa, 3, cudnn",
  })
  void aRingTakesTheKernelThatLibtorchWouldChoose(String kernel, int choice, String taken) {
    Program program = program("cudnn", choice);
    try (NDManager manager = Torch.newManager()) {
      NDArray packed = packed(program, manager, 37, 12);
      NDArray chosen = assertAttends(program, manager, packed, "ring", kernel);
      NDArray named = assertAttends(program, manager, packed, "ring", taken);
      assertThat(chosen.toFloatArray()).isEqualTo(named.toFloatArray());
    }
  }

  static Stream<Arguments> onAGpu() {
    return Stream.of(ElementType.FLOAT32, ElementType.BFLOAT16, ElementType.FLOAT16)
        .flatMap(
            type ->
                Arrays.stream(AttentionKernel.values())
                    .filter(kernel -> kernel.refusal(true, type).isEmpty())
                    .map(kernel -> Arguments.of(kernel, type)));
  }

  @Tag("gpu")
  @ParameterizedTest
  @MethodSource("onAGpu")
  void aGpusKernelsAttendAsTheEquationSays(AttentionKernel kernel, ElementType type) {
    Program program = Program.compile("cuda", OTHERS + ATTENTION);
    try (NDManager manager = Torch.newManager()) {
      for (int head : new int[] {12, 64, 72, 128}) {
        for (int tokens : new int[] {37, 64}) {
          NDArray x = Torch.cast(manager, packed(program, manager, tokens, head), type);
          NDArray packed = program.call(manager, "on", x, "cuda:0");
          assertAttends(program, manager, packed, "local", kernel.kernelName());
          assertAttends(program, manager, packed, "ring", kernel.kernelName());
        }
      }
    }
  }

  private static NDArray assertAttends(
      Program program, NDManager manager, NDArray packed, String function, String kernel) {
    NDArray mask = mask(manager, packed);
    NDArray weights = Torch.cast(manager, mask, ElementType.FLOAT32);
    assertAttends(program, manager, packed, List.of(mask), function, kernel);
    assertAttends(program, manager, packed, List.of(weights), function, kernel);
    return assertAttends(program, manager, packed, List.of(), function, kernel);
  }

  private static NDArray assertAttends(
      Program program,
      NDManager manager,
      NDArray packed,
      List<NDArray> mask,
      String function,
      String kernel) {
    List<NDArray> both = // of the keys of the text and of its queries, which are all here
        mask.stream().flatMap(of -> Stream.of(of, of)).toList();
    NDArray ours = program.call(manager, function, packed, both, 5, kernel);
    double difference =
        program.callDouble(
            "difference", List.of(ours), program.callList(manager, "equation", packed, mask));
    assertThat(difference).as(kernel).isLessThan(tolerance(packed));
    return ours;
  }

  /** (2, 5): texts of three and of four tokens, padded right and left. */
  private static NDArray mask(NDManager manager, NDArray like) {
    NDArray mask = manager.create(new long[] {1, 1, 1, 0, 0, 0, 1, 1, 1, 1}, new Shape(2, 5));
    return Torch.to(manager, mask, like.getDevice());
  }

  /** Of the largest value: some roundings. */
  private static double tolerance(NDArray packed) {
    return switch (ElementType.of(packed)) {
      case FLOAT32 -> 1e-5;
      case FLOAT16 -> 4e-3;
      default -> 3e-2;
    };
  }

  private static Program program(String cudnn, int choice) {
    String text =
        SIMULATED
            .replace("torch._scaled_dot_product_cudnn_attention(", "self." + cudnn + "(")
            .replace("torch._fused_sdp_choice(q, k, v)", String.valueOf(choice));
    return COMPILED.computeIfAbsent(text, one -> Program.compile(cudnn, OTHERS + one));
  }

  private static NDArray packed(Program program, NDManager manager, int tokens, int head) {
    return program.call(manager, "random", new long[] {2, tokens, 3, 2, head}, 3, 6);
  }
}
