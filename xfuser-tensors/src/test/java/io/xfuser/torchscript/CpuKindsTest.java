package io.xfuser.torchscript;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What is multiplied in which type on CPUs that this machine need not have. */
class CpuKindsTest {
  private static final String SKYLAKE = "avx2 avx512f avx512bw avx512dq avx512vl avx512_vnni";
  private static final String ZEN4 = SKYLAKE + " avx512_bf16";
  private static final String SAPPHIRE_RAPIDS = ZEN4 + " avx512_fp16 amx_tile amx_int8 amx_bf16";

  private static final Map<String, List<String>> CPUS =
      Map.of(
          "AVX2", cpu("AuthenticAMD", "avx2 fma f16c"),
          "AVX-512", cpu("GenuineIntel", SKYLAKE),
          "Intel's bf16 without AMX", cpu("GenuineIntel", ZEN4),
          "Zen 4", cpu("AuthenticAMD", ZEN4),
          "AMX", cpu("GenuineIntel", SAPPHIRE_RAPIDS),
          "AMX hidden", cpu("GenuineIntel", ZEN4 + " avx512_fp16"),
          "AVX-512 hidden", cpu("GenuineIntel", "avx2 amx_tile amx_int8 amx_bf16"),
          "half of AVX-512 hidden", cpu("AuthenticAMD", "avx2 avx512f avx512_bf16"),
          "ARM", List.of("Features\t: fp asimd fphp bf16", "CPU part\t: 0xd4f"),
          "unknown", List.of("cpu\t: POWER9"));

  private static List<String> cpu(String vendor, String flags) {
    List<String> info = new ArrayList<>();
    for (int core = 0; core < 2; core++) {
      info.add("processor\t: " + core);
      info.add("vendor_id\t: " + vendor);
      info.add("model name\t: some CPU @ 2.00GHz");
      info.add("flags\t\t: fpu " + flags + " sse");
      info.add("vmx flags\t: ept");
      info.add("");
    }
    return info;
  }

  @ParameterizedTest
  @CsvSource({
    "AVX2, fp32, fp32",
    "AVX-512, fp32, fp32",
    "Intel's bf16 without AMX, fp32, fp32",
    "Zen 4, bf16, fp32",
    "AMX, bf16, fp16",
    "AMX hidden, fp32, fp16",
    "AVX-512 hidden, fp32, fp32",
    "half of AVX-512 hidden, fp32, fp32",
    "ARM, bf16, fp32",
    "unknown, fp32, fp32"
  })
  void theKindOfTheCpuDecides(String cpu, String bfloat16, String float16) {
    assertThat(types(cpu, Map.of())).isEqualTo(bfloat16 + ", " + float16);
  }

  @ParameterizedTest
  @CsvSource({
    "ONEDNN_MAX_CPU_ISA, AVX2, 'fp32, fp32', 'fp32, fp32'",
    "ONEDNN_MAX_CPU_ISA, avx512_core, 'fp32, fp32', 'fp32, fp32'",
    "ONEDNN_MAX_CPU_ISA, AVX512_CORE_BF16, 'fp32, fp32', 'bf16, fp32'",
    "ONEDNN_MAX_CPU_ISA, AVX512_CORE_FP16, 'fp32, fp16', 'bf16, fp32'",
    "ONEDNN_MAX_CPU_ISA, AVX10_1_512, 'fp32, fp16', 'bf16, fp32'",
    "ONEDNN_MAX_CPU_ISA, AVX512_CORE_AMX, 'bf16, fp16', 'bf16, fp32'",
    "ONEDNN_MAX_CPU_ISA, ALL, 'bf16, fp16', 'bf16, fp32'",
    "DNNL_MAX_CPU_ISA, AVX2, 'fp32, fp32', 'fp32, fp32'",
    "ATEN_CPU_CAPABILITY, avx2, 'fp32, fp32', 'fp32, fp32'",
    "ATEN_CPU_CAPABILITY, default, 'fp32, fp32', 'fp32, fp32'",
    "ATEN_CPU_CAPABILITY, avx512, 'bf16, fp16', 'bf16, fp32'"
  })
  void whatLibtorchIsKeptFromDoesNotCount(String variable, String value, String amx, String zen4) {
    assertThat(types("AMX", Map.of(variable, value))).isEqualTo(amx);
    assertThat(types("Zen 4", Map.of(variable, value))).isEqualTo(zen4);
    assertThat(types("ARM", Map.of(variable, value))).isEqualTo("bf16, fp32");
  }

  @Test
  void theNewNameOfAVariableCounts() {
    Map<String, String> both = Map.of("ONEDNN_MAX_CPU_ISA", "ALL", "DNNL_MAX_CPU_ISA", "AVX2");
    assertThat(types("Zen 4", both)).isEqualTo("bf16, fp32");
  }

  @Test
  void whatOnlySomeCoresHaveDoesNotCount() {
    List<String> hybrid = new ArrayList<>(cpu("AuthenticAMD", ZEN4));
    hybrid.addAll(cpu("AuthenticAMD", "avx2"));
    assertThat(HalfPrecision.of(hybrid, Map.of())).isEqualTo(new HalfPrecision(true, true));
  }

  private static String types(String cpu, Map<String, String> environment) {
    HalfPrecision choice = HalfPrecision.of(CPUS.getOrDefault(cpu, List.of()), environment);
    return (choice.widensBfloat16() ? "fp32" : "bf16")
        + ", "
        + (choice.widensFloat16() ? "fp32" : "fp16");
  }
}
