package io.xfuser.torchscript;

import io.xfuser.internal.natives.CpuFeatures;
import java.util.List;
import java.util.Map;

/**
 * In which type the CPU multiplies matrices of 16 bits. CPUs with units for a type are several
 * times faster in it than in fp32, others are slower, up to a hundred times, or cannot. Then the
 * factors are widened, multiplied in fp32 and the product is rounded, which is no less exact.
 *
 * <p>The kind of the CPU decides, not a measurement: all processes of a machine have to decide
 * alike, or equal requests would differ in their last bits.
 *
 * @param widensBfloat16 whether bfloat16 is widened
 * @param widensFloat16 whether float16 is widened
 */
record HalfPrecision(boolean widensBfloat16, boolean widensFloat16) {
  /** What is best on this machine. An unknown CPU widens: the slower case there costs less. */
  static HalfPrecision ofThisMachine() {
    return of(CpuFeatures.ofThisMachine());
  }

  /**
   * What is best on the CPU that Linux describes with these lines.
   *
   * @param environment variables that may keep libtorch from some of its instructions
   */
  static HalfPrecision of(List<String> cpuInfo, Map<String, String> environment) {
    return of(CpuFeatures.of(cpuInfo).under(environment));
  }

  private static HalfPrecision of(CpuFeatures cpu) {
    // Intel's bfloat16 instructions outside AMX take longer than those of fp32 (1.8 times).
    boolean bfloat16 =
        cpu.hasAmx() || (cpu.isAmd() && cpu.hasAvx512Bfloat16()) || cpu.hasArmBfloat16();
    return new HalfPrecision(!bfloat16, !cpu.hasAvx512Float16());
  }

  /** Whether this CPU multiplies {@code type} in fp32. */
  boolean widens(ElementType type) {
    return switch (type) {
      case BFLOAT16 -> widensBfloat16;
      case FLOAT16 -> widensFloat16;
      default -> false;
    };
  }

  /** The same, but {@code type} is widened. */
  HalfPrecision widening(ElementType type) {
    return new HalfPrecision(
        widensBfloat16 || type == ElementType.BFLOAT16,
        widensFloat16 || type == ElementType.FLOAT16);
  }

  /** The functions that {@code products.py} asks. */
  String text() {
    return Prelude.answer("widens_bfloat16", widensBfloat16)
        + Prelude.answer("widens_float16", widensFloat16);
  }
}
