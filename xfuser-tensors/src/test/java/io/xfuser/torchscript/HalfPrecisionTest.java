package io.xfuser.torchscript;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What this machine's CPU does not choose has to be right too. */
class HalfPrecisionTest {
  private static final int WIDTH = 24;
  private static final String SCORES = "1048576"; // of so many at once, attention_by_pairs
  private static final Map<String, Program> COMPILED = new HashMap<>();

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
      assertLinear(program, manager, type, 1);
      assertLinear(program, manager, type, 100);
    }
  }

  private static void assertLinear(
      Program program, NDManager manager, ElementType type, long rows) {
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

  @ParameterizedTest
  @MethodSource("choices")
  void attentionEqualsItsEquation(HalfPrecision precision, ElementType type) {
    String whole = text(precision);
    assertThat(whole).contains(SCORES);
    Program program = compiled(whole.replace(SCORES, "100")); // the queries are taken in two parts
    try (NDManager manager = Torch.newManager()) {
      NDArray q = random(program, manager, type, 0, 2, 3, 70, 8); // an odd number of heads
      NDArray k = random(program, manager, type, 1, 2, 3, 50, 8);
      NDArray v = random(program, manager, type, 2, 2, 3, 50, 8);
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

  /** Widens so many elements at a time. */
  private static Program widening(int elements) {
    String text = text(new HalfPrecision(true, true)).replace("2097152", String.valueOf(elements));
    return compiled(text);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 100, 700})
  void weightsMayBeWidenedAFewRowsAtATime(int elements) {
    Program program = widening(elements);
    try (NDManager manager = Torch.newManager()) {
      for (ElementType type : List.of(ElementType.BFLOAT16, ElementType.FLOAT16)) {
        assertLinear(program, manager, type, 7);
      }
    }
  }

  @ParameterizedTest
  @CsvSource({
    "2097152, 9, 3, 1",
    "2097152, 9, 1, 0",
    "1, 9, 3, 1",
    "100, 9, 3, 0",
    "100, 2, 3, 1",
    "200, 9, 3, 1",
    "200, 9, 1, 0",
    "200, 1, 3, 1"
  })
  void convolutionsMayBeWidenedAFewRowsAtATime(int elements, int rows, int kernel, int padding) {
    Program program = widening(elements);
    try (NDManager manager = Torch.newManager()) {
      for (ElementType type : List.of(ElementType.BFLOAT16, ElementType.FLOAT16)) {
        NDArray x = random(program, manager, type, 0, 2, 3, rows, 7);
        NDArray weight = random(program, manager, type, 1, 5, 3, kernel, 3);
        NDArray bias = random(program, manager, type, 2, 5);
        long[] sides = {padding, 1};
        NDList ours = program.callList(manager, "convolutions", x, weight, bias, sides);
        NDList exact = program.callList(manager, "convolution_equation", x, weight, bias, sides);
        assertThat(ours.get(0).getShape()).isEqualTo(exact.get(0).getShape());
        assertThat(program.callDouble("difference", ours, exact)).isLessThan(tolerance(type));
        assertThat(ElementType.of(ours.get(0))).isEqualTo(type);
      }
    }
  }

  @Test
  void aTypeThatLibtorchCannotMultiplyIsWidenedWhateverTheCpuSays() {
    String products = ModuleArchive.read(Prelude.class, "linear_aten.py");
    HalfPrecision neither = new HalfPrecision(false, false);
    assertThat(Prelude.tried(products, neither)).isEqualTo(neither);
    String refusing =
        products.replace(
            "y: Tensor, own: bool) -> Tensor:\n",
            "y: Tensor, own: bool) -> Tensor:\n  assert x.dtype != 15\n");
    assertThat(Prelude.tried(refusing, neither)).isEqualTo(new HalfPrecision(true, false));
  }

  private static Program program(HalfPrecision precision) {
    return compiled(text(precision));
  }

  private static Program compiled(String text) {
    return COMPILED.computeIfAbsent(text, one -> Program.compile("half precision", one));
  }

  /** With plain products where those of this machine cannot be taken in a type. */
  private static String text(HalfPrecision precision) {
    String products = Prelude.products();
    if (!Prelude.tried(products, precision).equals(precision)) {
      products = ModuleArchive.read(Prelude.class, "linear_aten.py");
    }
    return Prelude.text(products, precision)
        + ModuleArchive.read(HalfPrecisionTest.class, "half_precision_test.py");
  }

  private static NDArray random(
      Program program, NDManager manager, ElementType type, int seed, long... shape) {
    return program.call(manager, "random", shape, seed, type.scalarType());
  }
}
