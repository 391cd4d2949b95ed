package io.xfuser.torchscript;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What is widened by way of another type has the bits of libtorch's own two conversions. */
class WidenedRowsTest {
  private static final String ROWS =
      """
      def filed(self, dtype: int, rows: int, inputs: int) -> Tensor:
        # the right half of a matrix, with what is no number, is endless, or is not normal in a half type
        cpu = torch.device("cpu")
        x = torch.randn([rows, 2 * inputs], generator=torch.Generator(device=cpu, seed=1), dtype=6, device=cpu)
        odd = torch.tensor([float("nan"), float("inf"), float("-inf"), -0., 65519., 1e-7, 6e-8, 3e38, 1.00390625, 1.01171875])
        x[0, inputs : inputs + 10] = odd
        return torch.to(x, dtype).slice(1, inputs, 2 * inputs)

      def alike(self, x: Tensor, y: Tensor) -> Tensor:
        equal = torch.logical_and(torch.eq(x, y), torch.eq(torch.signbit(x), torch.signbit(y)))
        return torch.logical_or(equal, torch.logical_and(torch.isnan(x), torch.isnan(y)))

      def same(self, dtype: int, rounded: int, wide: int, rows: int, inputs: int) -> int:
        w = self.filed(dtype, rows, inputs)
        place = torch.empty([rows, inputs], dtype=wide, device=w.device)
        found = torch.to(self.widen_into(w, rounded, place), 6)
        plain = torch.to(torch.to(torch.to(w, rounded), wide), 6)
        return 1 if bool(torch.all(self.alike(found, plain))) else 0
      """;

  private static final Program PROGRAM =
      Program.compile(
          "widened rows", Prelude.text(Prelude.products(), HalfPrecision.ofThisMachine()) + ROWS);

  /** In one part and in several, the last of them shorter, to fp32 and to a half type. */
  @ParameterizedTest
  @CsvSource({
    "FLOAT16, BFLOAT16, FLOAT32", "FLOAT32, BFLOAT16, FLOAT32", "BFLOAT16, FLOAT16, FLOAT32",
    "FLOAT32, FLOAT16, FLOAT32", "FLOAT16, FLOAT16, FLOAT32", "FLOAT16, FLOAT32, FLOAT32",
    "FLOAT32, FLOAT16, BFLOAT16", "FLOAT16, BFLOAT16, BFLOAT16", "BFLOAT16, FLOAT16, FLOAT16",
    "FLOAT32, BFLOAT16, BFLOAT16"
  })
  void theyHaveTheSameBits(ElementType filed, ElementType rounded, ElementType wide) {
    Torch.prepareThread(1);
    for (int rows : new int[] {1, 64, 2200}) {
      assertThat(
              PROGRAM.callLong(
                  "same",
                  filed.scalarType(),
                  rounded.scalarType(),
                  wide.scalarType(),
                  rows,
                  rows == 2200 ? 1000 : 24))
          .isOne();
    }
  }

  @Test
  void aRowMayBeMoreThanAPart() {
    Torch.prepareThread(1);
    assertThat(PROGRAM.callLong("same", 5, 15, 6, 2, 1_048_577)).isOne();
  }
}
