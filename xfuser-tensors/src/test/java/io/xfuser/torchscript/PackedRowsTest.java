package io.xfuser.torchscript;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import io.xfuser.internal.natives.CpuFeatures;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Products of nearly as many rows as oneDNN packs, whatever this machine's CPU. */
class PackedRowsTest {
  private static final String WIDE = "avx2 avx512f avx512bw avx512dq avx512vl";

  private static final Map<Boolean, Program> PROGRAMS = new ConcurrentHashMap<>();
  private static final String ANSWERS =
      """
      def reached(self, rows: int, outputs: int, dtype: int) -> int:
        x = torch.empty([1, rows, 3], dtype=dtype, device=torch.device("meta"))
        return self.rows_to_reach(x, torch.empty([outputs, 3], dtype=dtype, device=torch.device("meta")))

      def numbers(self, seed: int, shape: List[int]) -> Tensor:
        generator = torch.Generator(device=torch.device("cpu"), seed=seed)
        return torch.randn(shape, generator=generator, dtype=6, device=torch.device("cpu"))

      def products(self, x: Tensor, weight: Tensor, bias: Tensor, y: Tensor) -> List[Tensor]:
        added = self.product_add(x, weight, bias, y.clone(), True)
        return [self.product(x, weight, None), self.product_gelu_tanh(x, weight, bias), added,
                self.product_add(x, weight, None, y, False)]

      def plain_products(self, x: Tensor, weight: Tensor, bias: Tensor, y: Tensor) -> List[Tensor]:
        return [self.plain_product(x, weight, None), self.plain_gelu_tanh(x, weight, bias),
                self.plain_add(x, weight, bias, y, False), self.plain_add(x, weight, None, y, False)]

      def apart(self, x: Tensor, y: Tensor) -> float:
        return float((x - y).abs().max())
      """;

  @BeforeEach
  void prepare() {
    Torch.prepareThread(1);
  }

  @ParameterizedTest
  @CsvSource({
    "256, 12288, 272",
    "238, 12288, 272",
    "237, 12288, 0",
    "271, 12288, 272",
    "272, 12288, 0",
    "256, 3072, 288",
    "251, 3072, 0",
    "320, 1024, 360",
    "360, 1024, 0",
    "500, 640, 0",
    "0, 4096, 0",
  })
  void anEighthMoreRowsAreTakenAtTheMost(int rows, int outputs, int reached) {
    assertThat(program(true).callLong("reached", rows, outputs, 6)).isEqualTo(reached);
    assertThat(program(false).callLong("reached", rows, outputs, 6)).isZero();
    assertThat(program(true).callLong("reached", rows, outputs, 15)).isZero();
  }

  @ParameterizedTest
  @ValueSource(ints = {170, 180})
  void moreRowsLeaveTheOthersAsTheyAre(int tokens) {
    try (NDManager manager = Torch.newManager()) {
      Program program = program(true);
      NDArray x = program.call(manager, "numbers", 1, new long[] {2, tokens, 24});
      NDArray weight = program.call(manager, "numbers", 2, new long[] {1024, 24});
      NDArray bias = program.call(manager, "numbers", 3, new long[] {1024});
      NDArray y = program.call(manager, "numbers", 4, new long[] {2, tokens, 1024});
      NDList ours = program.callList(manager, "products", x, weight, bias, y);
      NDList plain = program.callList(manager, "plain_products", x, weight, bias, y);
      for (int i = 0; i < ours.size(); i++) {
        assertThat(ours.get(i).getShape()).isEqualTo(plain.get(i).getShape());
        assertThat(program.callDouble("apart", ours.get(i), plain.get(i))).isLessThan(2e-5);
      }
    }
  }

  @Test
  void widerInstructionsPackOtherwise() {
    assertThat(cpu("avx2 fma").hasAvx2AtMost()).isTrue();
    assertThat(cpu("avx2 avx512f avx512_bf16").hasAvx2AtMost()).isTrue();
    assertThat(cpu(WIDE).hasAvx2AtMost()).isFalse();
    assertThat(cpu("fma").hasAvx2AtMost()).isFalse();
  }

  /** What it is kept from, not what libtorch's own kernels are. */
  @ParameterizedTest
  @CsvSource({
    "ONEDNN_MAX_CPU_ISA, AVX, false, false",
    "ONEDNN_MAX_CPU_ISA, SSE41, false, false",
    "ONEDNN_MAX_CPU_ISA, AVX2, true, true",
    "ONEDNN_MAX_CPU_ISA, AVX2_VNNI, true, true",
    "DNNL_MAX_CPU_ISA, AVX2_VNNI_2, true, true",
    "ONEDNN_MAX_CPU_ISA, AVX512_CORE, true, false",
    "ONEDNN_MAX_CPU_ISA, AVX512_CORE_VNNI, true, false",
    "ONEDNN_MAX_CPU_ISA, AVX512_CORE_BF16, true, false",
    "ATEN_CPU_CAPABILITY, avx2, true, false",
    "ATEN_CPU_CAPABILITY, default, true, false",
  })
  void oneDnnPacksByWhatItMayUse(String variable, String value, boolean avx2, boolean avx512) {
    Map<String, String> environment = Map.of(variable, value);
    assertThat(cpu("avx2 fma").under(environment).hasAvx2AtMost()).isEqualTo(avx2);
    assertThat(cpu(WIDE).under(environment).hasAvx2AtMost()).isEqualTo(avx512);
  }

  private static CpuFeatures cpu(String flags) {
    return CpuFeatures.of(List.of("vendor_id : AuthenticAMD", "flags : " + flags));
  }

  /** The functions as for a CPU on which oneDNN packs many rows, or another. */
  private static Program program(boolean packs) {
    return PROGRAMS.computeIfAbsent(packs, PackedRowsTest::compiled);
  }

  private static Program compiled(boolean packs) {
    String name = "packs_many_rows";
    String here = Prelude.products();
    assumeThat(here).as("libtorch has oneDNN").contains(name);
    String there = here.replace(Prelude.answer(name, !packs), Prelude.answer(name, packs));
    String text = Prelude.text(there, HalfPrecision.ofThisMachine());
    return Program.compile("packed rows " + packs, DeviceRun.usedBy(ANSWERS, text) + ANSWERS);
  }
}
