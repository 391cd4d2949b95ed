package io.xfuser.torchscript;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class Int8ProductsTest {
  private static final Program PROGRAM = Program.load(Int8ProductsTest.class, "int8_test.py");

  @BeforeEach
  void prepare() {
    Torch.prepareThread(1);
  }

  @ParameterizedTest
  @CsvSource({"1, 64, 32", "7, 1, 5", "63, 48, 96", "5, 1001, 33"})
  void packedProductsAreExact(long rows, long inputs, long outputs) {
    try (NDManager manager = Torch.newManager()) {
      NDArray x = PROGRAM.call(manager, "random", new long[] {2, rows, inputs}, 1);
      NDArray weight = PROGRAM.call(manager, "random", new long[] {outputs, inputs}, 2);
      assertThat(difference(manager, x, weight)).isLessThan(1e-6);
    }
  }

  @Test
  void theLargestProductsDoNotOverflowSixteenBits() {
    try (NDManager manager = Torch.newManager()) {
      NDArray x = PROGRAM.call(manager, "saturating", 3, 256);
      NDArray weight = PROGRAM.call(manager, "saturating", 5, 256);
      assertThat(difference(manager, x, weight)).isLessThan(1e-6);
    }
  }

  private static double difference(NDManager manager, NDArray x, NDArray weight) {
    NDArray ours = PROGRAM.call(manager, "packed_product", x, weight);
    NDArray exact = PROGRAM.call(manager, "exact_product", x, weight);
    return PROGRAM.callDouble("largest", ours.sub(exact)) / PROGRAM.callDouble("largest", exact);
  }
}
