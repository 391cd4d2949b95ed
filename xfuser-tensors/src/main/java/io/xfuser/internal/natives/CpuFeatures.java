package io.xfuser.internal.natives;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * What Linux says of a CPU, and what its user lets libtorch have of it.
 *
 * @param vendor as the CPU names it, or nothing
 * @param flags of instructions that all cores have; where cores differ, a thread may be moved to
 *     any of them
 * @param hasAvx2AtMost whether oneDNN has AVX2 and nothing wider; it does not listen to what
 *     libtorch's own kernels are kept from
 */
public record CpuFeatures(String vendor, Set<String> flags, boolean hasAvx2AtMost) {
  private static final Path CPU_INFO = Path.of("/proc/cpuinfo");

  /** What oneDNN asks for before it takes any of AVX-512 (cpu_isa_traits.hpp). */
  private static final List<String> AVX512_CORE =
      List.of("avx512f", "avx512bw", "avx512dq", "avx512vl");

  /** What it asks for besides the instructions for 16 bits. */
  private static final List<String> AVX512 =
      List.of("avx512f", "avx512bw", "avx512dq", "avx512vl", "avx512_vnni");

  private static final List<String> AMX = List.of("amx_tile", "amx_int8", "amx_bf16");

  /** The most that oneDNN may use, by the name it has for that; other names are no limit. */
  private static final Set<String> BELOW_BFLOAT16 =
      Set.of("sse41", "avx", "avx2", "avx2_vnni", "avx2_vnni_2", "avx512_core", "avx512_core_vnni");

  private static final Set<String> BELOW_AVX2 = Set.of("sse41", "avx");

  private static final Set<String> AVX2_AT_MOST = Set.of("avx2", "avx2_vnni", "avx2_vnni_2");

  private static final Set<String> BELOW_AMX = Set.of("avx512_core_fp16", "avx10_1_512");

  /**
   * Of this machine, without what the environment keeps libtorch from, as libtorch reads it itself,
   * whatever a program would hand down; nothing of an unknown CPU.
   */
  public static CpuFeatures ofThisMachine() {
    if (!Files.isReadable(CPU_INFO)) {
      return of(List.of());
    }
    try {
      return of(Files.readAllLines(CPU_INFO)).under(System.getenv());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  public static CpuFeatures of(List<String> cpuInfo) {
    String vendor = "";
    Set<String> common = null;
    for (String line : cpuInfo) {
      String[] entry = line.split(":", 2);
      String name = entry.length == 1 ? "" : entry[0].strip();
      if (name.equals("vendor_id")) {
        vendor = entry[1].strip();
      } else if (name.equals("flags") || name.equals("Features")) { // x86's name, ARM's name
        Set<String> flags = Set.copyOf(List.of(entry[1].strip().split(" +")));
        if (common == null) {
          common = new HashSet<>(flags);
        } else {
          common.retainAll(flags);
        }
      }
    }
    Set<String> flags = common == null ? Set.of() : Set.copyOf(common);
    return new CpuFeatures(vendor, flags, hasAvx2AtMost(flags, ""));
  }

  /**
   * Without what these variables keep libtorch from: its own kernels listen to {@code
   * ATEN_CPU_CAPABILITY}, those of oneDNN to {@code ONEDNN_MAX_CPU_ISA} or, where that is not set,
   * to {@code DNNL_MAX_CPU_ISA}.
   */
  public CpuFeatures under(Map<String, String> environment) {
    String own = environment.getOrDefault("ATEN_CPU_CAPABILITY", "");
    String most =
        environment
            .getOrDefault("ONEDNN_MAX_CPU_ISA", environment.getOrDefault("DNNL_MAX_CPU_ISA", ""))
            .toLowerCase(Locale.ROOT);
    Set<String> left = new HashSet<>(flags);
    if (BELOW_BFLOAT16.contains(most) || own.equals("avx2") || own.equals("default")) {
      left.removeIf(flag -> flag.startsWith("avx512") || flag.startsWith("amx"));
    } else if (most.equals("avx512_core_bf16")) {
      left.removeIf(flag -> flag.equals("avx512_fp16") || flag.startsWith("amx"));
    } else if (BELOW_AMX.contains(most)) {
      left.removeIf(flag -> flag.startsWith("amx"));
    }
    return new CpuFeatures(vendor, Set.copyOf(left), hasAvx2AtMost(flags, most));
  }

  private static boolean hasAvx2AtMost(Set<String> flags, String most) {
    return flags.contains("avx2")
        && !BELOW_AVX2.contains(most)
        && (AVX2_AT_MOST.contains(most) || !flags.containsAll(AVX512_CORE));
  }

  public boolean isAmd() {
    return vendor.equals("AuthenticAMD");
  }

  /** ARM's bfloat16 instructions. */
  public boolean hasArmBfloat16() {
    return flags.contains("bf16");
  }

  public boolean hasAvx512Bfloat16() {
    return flags.containsAll(AVX512) && flags.contains("avx512_bf16");
  }

  public boolean hasAvx512Float16() {
    return hasAvx512Bfloat16() && flags.contains("avx512_fp16");
  }

  public boolean hasAmx() {
    return hasAvx512Float16() && flags.containsAll(AMX);
  }
}
