package io.xfuser.torchscript;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * In which type the CPU multiplies matrices of 16 bits. CPUs with units for a type are several
 * times faster in it than in fp32, others are slower, up to a hundred times. Then the factors are
 * widened, multiplied in fp32 and the product is rounded, which is no less exact.
 *
 * <p>The kind of the CPU decides, not a measurement: all processes of a machine have to decide
 * alike, or equal requests would differ in their last bits.
 *
 * @param widensBfloat16 whether bfloat16 is widened
 * @param widensFloat16 whether float16 is widened
 */
record HalfPrecision(boolean widensBfloat16, boolean widensFloat16) {
  private static final Path CPU_INFO = Path.of("/proc/cpuinfo");

  /** What is best on this machine. An unknown CPU widens: the slower case there costs less. */
  static HalfPrecision ofThisMachine() {
    if (!Files.isReadable(CPU_INFO)) {
      return new HalfPrecision(true, true);
    }
    try {
      return of(Files.readAllLines(CPU_INFO));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** What is best on the CPU that Linux describes with these lines; its first core counts. */
  static HalfPrecision of(List<String> cpuInfo) {
    Map<String, String> core = new HashMap<>();
    for (String line : cpuInfo) {
      String[] entry = line.split(":", 2);
      if (entry.length == 2) {
        core.putIfAbsent(entry[0].strip(), entry[1].strip());
      }
    }
    String features = core.getOrDefault("flags", core.getOrDefault("Features", ""));
    Set<String> flags = Set.copyOf(List.of(features.split(" +")));
    // Intel's bfloat16 instructions outside AMX take longer than those of fp32 (1.8 times).
    boolean amd = core.getOrDefault("vendor_id", "").equals("AuthenticAMD");
    boolean bfloat16 =
        flags.contains("amx_bf16")
            || (flags.contains("avx512_bf16") && amd)
            || flags.contains("bf16"); // ARM's name
    boolean float16 = flags.contains("amx_fp16") || flags.contains("avx512_fp16");
    return new HalfPrecision(!bfloat16, !float16);
  }

  /** The functions that {@code prelude.py} asks. */
  String text() {
    return function("widens_bfloat16", widensBfloat16) + function("widens_float16", widensFloat16);
  }

  private static String function(String name, boolean value) {
    return "def " + name + "(self) -> bool:\n  return " + (value ? "True" : "False") + "\n";
  }
}
