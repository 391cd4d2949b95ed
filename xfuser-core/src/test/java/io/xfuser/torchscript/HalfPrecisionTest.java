package io.xfuser.torchscript;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** What this machine's CPU does not choose has to be right too. */
class HalfPrecisionTest {
  private static final int WIDTH = 24;

  /** Of the largest value; twice the last place of each type and some accumulated roundings. */
  private static double tolerance(ElementType type) {
    return type == ElementType.BFLOAT16 ? 2e-2 : 3e-3;
  }

  static Stream<Arguments> choices() {
    return Stream.of(true, false)
        .flatMap(
            widens ->
                Stream.of(ElementType.BFLOAT16, ElementType.FLOAT16)
                    .map(type -> Arguments.of(new HalfPrecision(widens, widens), type)));
  }

  @BeforeEach
  void prepare() {
    Torch.prepareThread(1);
  }

  @ParameterizedTest
  @MethodSource("choices")
  void linearLayersEqualTheirEquations(HalfPrecision precision, ElementType type) {
    Program program = program(precision);
    try (NDManager manager = Torch.newManager()) {
      for (long rows : new long[] {3, 100}) { // few rows are never widened
        NDArray x = random(program, manager, type, 0, 2, rows, WIDTH);
        List<NDArray> weights =
            List.of(
                random(program, manager, type, 1, WIDTH, WIDTH),
                random(program, manager, type, 2, WIDTH),
                random(program, manager, type, 3, WIDTH, WIDTH),
                random(program, manager, type, 4, WIDTH));
        NDList ours = program.callList(manager, "linear_functions", x, weights);
        NDList exact = program.callList(manager, "linear_equations", x, weights);
        assertThat(program.callDouble("difference", ours, exact)).isLessThan(tolerance(type));
        assertThat(ours).allSatisfy(y -> assertThat(ElementType.of(y)).isEqualTo(type));
      }
    }
  }

  @ParameterizedTest
  @MethodSource("choices")
  void attentionEqualsItsEquation(HalfPrecision precision, ElementType type) {
    Program program = program(precision);
    try (NDManager manager = Torch.newManager()) {
      // an odd number of heads; so many keys that the queries are taken in two parts
      NDArray q = random(program, manager, type, 0, 2, 3, 70, 8);
      NDArray k = random(program, manager, type, 1, 2, 3, 20_000, 8);
      NDArray v = random(program, manager, type, 2, 2, 3, 20_000, 8);
      NDList ours = program.callList(manager, "attention", q, k, v); // (2, 70, 3, 8)
      NDList exact = program.callList(manager, "attention_equation", q, k, v);
      assertThat(program.callDouble("difference", ours, exact)).isLessThan(tolerance(type));
      assertThat(ElementType.of(ours.get(0))).isEqualTo(type);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "cpu, 5, true",
    "cpu, 15, true",
    "cpu, 6, false",
    "meta, 5, false",
    "meta, 15, false"
  })
  void nothingIsWidenedOnOtherDevicesThanTheCpu(String device, int type, boolean widened) {
    Program program = program(new HalfPrecision(true, true));
    assertThat(program.callLong("widened", device, type)).isEqualTo(widened ? 1 : 0);
  }

  @ParameterizedTest
  @CsvSource({
    "GenuineIntel, avx2 f16c, true, true",
    "GenuineIntel, avx512f avx512_bf16 avx512_fp16, true, false",
    "GenuineIntel, avx512_bf16 avx512_fp16 amx_tile amx_bf16, false, false",
    "AuthenticAMD, avx2 avx512f, true, true",
    "AuthenticAMD, avx512f avx512_bf16, false, true",
  })
  void theKindOfTheCpuDecides(String vendor, String flags, boolean bfloat16, boolean float16) {
    List<String> info =
        List.of(
            "processor\t: 0",
            "vendor_id\t: " + vendor,
            "model name\t: some CPU @ 2.00GHz",
            "flags\t\t: fpu " + flags + " sse",
            "",
            "processor\t: 1",
            "flags\t\t: fpu");
    assertThat(HalfPrecision.of(info)).isEqualTo(new HalfPrecision(bfloat16, float16));
  }

  @Test
  void otherCpusWidenWhatTheyDoNotName() {
    assertThat(HalfPrecision.of(List.of("Features\t: fp asimd bf16", "CPU part\t: 0xd4f")))
        .isEqualTo(new HalfPrecision(false, true));
    assertThat(HalfPrecision.of(List.of())).isEqualTo(new HalfPrecision(true, true));
  }

  private static Program program(HalfPrecision precision) {
    return Program.compile(
        precision.toString(),
        Prelude.text(Prelude.products(), precision)
            + ModuleArchive.read(HalfPrecisionTest.class, "half_precision_test.py"));
  }

  private static NDArray random(
      Program program, NDManager manager, ElementType type, int seed, long... shape) {
    return program.call(manager, "random", shape, seed, type.scalarType());
  }
}
