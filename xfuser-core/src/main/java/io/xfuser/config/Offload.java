package io.xfuser.config;

import io.xfuser.failure.ArgumentException;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What happens to weights while they are not in use. */
public enum Offload {
  /** They stay where they are used. */
  NONE,

  /** Text encoders, transformer and VAE are on the GPU one after another. */
  MODEL,

  /** The layers of each are on the GPU one after another. */
  SEQUENTIAL,

  /**
   * The layers of text encoders and transformer are read from their files ahead of use, and dropped
   * after it; some of the transformer's stay. On the CPU too.
   */
  LAYERWISE;

  private static final int MEBI = 20;

  static final Setting<Offload> SETTING =
      Setting.of(
              "offload",
              Kind.oneOf(Offload.class),
              "WHAT",
              "What of the weights is in memory only while it is used: none; model or sequential,"
                  + " on GPUs; layerwise, read from the files ahead of use, on CPUs too")
          .or(NONE);

  /** How many MiB are read at a time. */
  static final Setting<Integer> CHUNK_MB =
      Setting.of(
              "offload_chunk_mb",
              Kind.whole(1, Integer.MAX_VALUE >> MEBI),
              "MIB",
              "How much is read of a file at a time, of offload layerwise; between two of them"
                  + " reading ahead pauses while ranks exchange tensors")
          .or(32);

  /** How many blocks stay. */
  static final Setting<Double> RATIO =
      Setting.of(
              "resident_ratio",
              Kind.number(0, 1),
              "R",
              "Which part of the transformer's blocks stays in memory, of offload layerwise")
          .or(0.0);

  /** What picks how many blocks stay. */
  static final Setting<Long> MEMORY =
      Setting.of(
              "max_memory",
              Kind.parsed(Long.class, Offload::bytes, Offload::text),
              "SIZE",
              "Memory that this process may take, 8GB or 7.5GiB for example: with offload layerwise"
                  + " as many blocks stay as fit into it")
          .open("as resident_ratio says");

  static final List<Setting<?>> OF_LAYERS = List.of(CHUNK_MB, RATIO, MEMORY);

  private static final Pattern SIZE =
      Pattern.compile("([0-9]{1,12}(?:\\.[0-9]{1,9})?) ?([KMGT]i?)?B?", Pattern.CASE_INSENSITIVE);

  /** As accelerate reads it: GB are 10⁹ bytes, GiB 2³⁰. */
  private static long bytes(String written) {
    Matcher size = SIZE.matcher(written.strip());
    double bytes = 0;
    if (size.matches()) {
      String unit = Objects.requireNonNullElse(size.group(2), "").toUpperCase(Locale.ROOT);
      int power = unit.isEmpty() ? 0 : 1 + "KMGT".indexOf(unit.charAt(0));
      bytes = Double.parseDouble(size.group(1)) * Math.pow(unit.endsWith("I") ? 1024 : 1000, power);
    }
    if (bytes < 1 || bytes > Long.MAX_VALUE) {
      throw new Kind.Wrong("a size, 8GB or 7.5GiB for example", written);
    }
    return Math.round(bytes);
  }

  private static String text(long bytes) {
    for (int power = 3; power > 0; power--) {
      long unit = Math.round(Math.pow(1000, power));
      if (bytes % unit == 0) {
        return bytes / unit + "KMG".substring(power - 1, power) + "B";
      }
    }
    return bytes + "B";
  }

  /**
   * What stays of layers that are read ahead of use.
   *
   * @param chunkBytes how much of a file is read at a time
   * @param ratio which part of the transformer's blocks stays
   * @param maxMemory bytes that the process may take, which picks the ratio; nothing where that is
   *     given
   */
  public record Residency(int chunkBytes, double ratio, OptionalLong maxMemory) {
    static Residency of(RuntimeConfig runtime) {
      Long memory = runtime.get(MEMORY);
      return new Residency(
          runtime.value(CHUNK_MB) << MEBI,
          runtime.value(RATIO),
          memory == null ? OptionalLong.empty() : OptionalLong.of(memory));
    }
  }

  /** Refuses what only layers that are read ahead have, and two ways to say how many stay. */
  static void check(RuntimeConfig runtime) {
    for (Setting<?> setting : OF_LAYERS) {
      if (runtime.has(setting) && runtime.offload() != LAYERWISE) {
        throw new ArgumentException(setting + " needs " + SETTING.with(LAYERWISE));
      }
    }
    if (runtime.has(RATIO) && runtime.has(MEMORY)) {
      throw new ArgumentException(RATIO + " and " + MEMORY + " exclude each other");
    }
  }
}
