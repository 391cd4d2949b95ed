package io.xfuser.torchscript;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * What is multiplied together, but as if it were apart, has the bits of what is multiplied alone:
 * at the widths of real text encoders, where kernels differ by the number of rows.
 */
class ApartProductsTest {
  private static final Map<String, Program> PROGRAMS = new ConcurrentHashMap<>();
  private static final String PRODUCTS = Prelude.products();
  private static final String KINDS =
      """
      def numbers(self, seed: int, shape: List[int], dtype: int) -> Tensor:
        generator = torch.Generator(device=torch.device("cpu"), seed=seed)
        return torch.to(torch.randn(shape, generator=generator, dtype=6, device=torch.device("cpu")), dtype)

      def kinds(self, outputs: int, inputs: int, dtype: int) -> Dict[str, Tensor]:
        w = {"held.weight": self.numbers(1, [outputs, inputs], dtype), "biased.bias": self.numbers(3, [outputs], dtype)}
        w["kept.weight_kept"] = self.numbers(2, [outputs, inputs], 5)
        w["kept.weight_type"] = torch.empty([0], dtype=dtype)
        w["biased.weight_kept"], w["biased.weight_type"] = w["kept.weight_kept"], w["kept.weight_type"]
        scale = self.int8_scales(w["held.weight"], False)
        w["narrow.weight"], w["narrow.weight_scale"] = self.int8_rows(w["held.weight"], scale), scale
        return w

      def same(self, x: Tensor, y: Tensor) -> bool:
        return bool(torch.all(torch.eq(x, y)))

      def apart_as_alone(self, rows: int, outputs: int, inputs: int, dtype: int) -> int:
        x, w = self.numbers(4, [2, rows, inputs], dtype), self.kinds(outputs, inputs, dtype)
        added = self.numbers(5, [2, rows, outputs], dtype)
        alike = True
        for name in ["held", "kept", "biased", "narrow"]:
          for gelu in [False, True]:
            more: Optional[Tensor] = None
            if not gelu and name != "narrow":
              more = added
            y = self.linear_apart(x, w, name, gelu, more, dtype, 2)
            plain = self.linear_apart(x, w, name, False, None, dtype, 2)
            for k in range(2):
              alone = torch.clone(x[k : k + 1])
              its: Optional[Tensor] = None
              if more is not None:
                its = added[k : k + 1].clone()
              alike = alike and self.same(y[k : k + 1], self.linear_layer(alone, w, name, gelu, its, False, dtype))
              alike = alike and self.same(plain[k : k + 1], self.linear_layer(alone, w, name, False, None, False, dtype))
        return 1 if alike else 0

      def packed_as_alone(self, rows: int, inputs: int) -> int:
        w = {"packed.weight_scale": torch.empty([0])}
        weight = self.numbers(1, [96, inputs], 6)
        w["packed.weight_scale"] = self.int8_scales(weight, True)
        parts = self.int8_pack(self.int8_rows(weight, w["packed.weight_scale"]))
        w["packed.weight_packed"], w["packed.weight_sums"] = parts[0], parts[1]
        x = self.numbers(4, [2, rows, inputs], 6)
        y = self.linear_apart(x, w, "packed", False, None, 6, 2)
        alone = torch.cat([self.linear(x[k : k + 1], w, "packed") for k in range(2)], 0)
        return 1 if self.same(y, alone) else 0

      def there(self, x: Tensor, weight: Tensor, gelu: bool) -> Tensor:
        y = torch.zeros([2, x.size(1), 2 * weight.size(0)])
        self.product_there(x, weight, gelu, y.slice(2, 0, weight.size(0)))
        return y

      def plainly(self, x: Tensor, weight: Tensor, gelu: bool) -> Tensor:
        y = self.plain_gelu_tanh(x, weight, None) if gelu else self.plain_product(x, weight, None)
        return torch.cat([y, torch.zeros_like(y)], 2)

      def apart(self, x: Tensor, y: Tensor) -> float:
        return float((x - y).abs().max())
      """;

  private static final String INTO =
      """
      def into(self, rows: int, outputs: int, dtype: int, device: str) -> int:
        x = torch.empty([1, rows, 3], dtype=dtype, device=torch.device(device))
        weight = torch.empty([outputs, 3], dtype=dtype, device=torch.device(device))
        return 1 if self.multiplies_into(x, weight, x) else 0
      """;

  /** T5-XXL's tokens of SD3 and PixArt, CLIP's, and those of narrow models. */
  @ParameterizedTest
  @CsvSource({
    "256, 704, 4096, FLOAT32, 1, true",
    "300, 320, 10240, FLOAT32, 1, true",
    "300, 320, 4096, BFLOAT16, 2, false",
    "77, 704, 1280, FLOAT32, 2, true",
    "77, 704, 1280, FLOAT32, 1, false",
    "7, 40, 24, FLOAT16, 1, true",
  })
  void eachHasTheBitsThatItHasAlone(
      int rows, int outputs, int inputs, ElementType type, int threads, boolean packs) {
    Torch.prepareThread(threads);
    Program program = program(packs, packs);
    assertThat(program.callLong("apart_as_alone", rows, outputs, inputs, type.scalarType()))
        .isOne();
    assertThat(program.callLong("packed_as_alone", rows, 64)).isOne();
  }

  @ParameterizedTest
  @CsvSource({
    "256, 640, true",
    "192, 640, true",
    "446, 640, true",
    "447, 640, false", // oneDNN packs these
    "191, 640, false",
    "256, 192, false",
    "256, 12288, false", // and these with zeros
    "0, 640, false",
    "256, 0, false",
  })
  void someHundredRowsAreMultipliedByMkl(int rows, int outputs, boolean there) {
    Torch.prepareThread(1);
    assertThat(compiled(INTO, true, true).callLong("into", rows, outputs, 6, "cpu"))
        .isEqualTo(there ? 1 : 0);
    assertThat(compiled(INTO, true, false).callLong("into", rows, outputs, 6, "cpu")).isZero();
    assertThat(compiled(INTO, false, true).callLong("into", rows, outputs, 6, "cpu")).isZero();
    assertThat(compiled(INTO, true, true).callLong("into", rows, outputs, 15, "cpu")).isZero();
    assertThat(compiled(INTO, true, true).callLong("into", rows, outputs, 6, "meta")).isZero();
  }

  @Test
  void whatMklMultipliesIsTheProduct() {
    Torch.prepareThread(1);
    Program program = program(true, true);
    try (NDManager manager = Torch.newManager()) {
      NDArray x = program.call(manager, "numbers", 1, new long[] {2, 200, 24}, 6);
      NDArray weight = program.call(manager, "numbers", 2, new long[] {64, 24}, 6);
      for (boolean gelu : new boolean[] {false, true}) {
        NDArray ours = program.call(manager, "there", x, weight, gelu);
        NDArray plain = program.call(manager, "plainly", x, weight, gelu);
        assertThat(program.callDouble("apart", ours, plain)).isLessThan(2e-5);
      }
    }
  }

  /**
   * The functions as for a CPU on which oneDNN packs many rows, or another; with MKL or without.
   */
  private static Program program(boolean packs, boolean mkl) {
    return compiled(KINDS, packs, mkl);
  }

  private static Program compiled(String calls, boolean packs, boolean mkl) {
    return PROGRAMS.computeIfAbsent(
        packs + " " + mkl + calls,
        key -> {
          String all = Prelude.text(there(packs, mkl), HalfPrecision.ofThisMachine());
          return Program.compile("apart " + packs + mkl, DeviceRun.usedBy(calls, all) + calls);
        });
  }

  private static String there(boolean packs, boolean mkl) {
    assumeThat(PRODUCTS).as("libtorch has oneDNN").contains("packs_many_rows");
    return answered(answered(PRODUCTS, "packs_many_rows", packs), "has_mkl", mkl);
  }

  private static String answered(String text, String name, boolean answer) {
    return text.replace(Prelude.answer(name, !answer), Prelude.answer(name, answer));
  }
}
