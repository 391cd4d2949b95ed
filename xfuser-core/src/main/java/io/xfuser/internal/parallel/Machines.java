package io.xfuser.internal.parallel;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Which machine each rank is on.
 *
 * @param ofRanks by rank, what no other machine is called; empty where nobody knows
 */
public record Machines(List<String> ofRanks) {
  /** Nobody knows. */
  public static final Machines UNKNOWN = new Machines(List.of());

  /** Differs from machine to machine, whatever they are called, and not between its containers. */
  private static final Path BOOT_ID = Path.of("/proc/sys/kernel/random/boot_id");

  public Machines {
    ofRanks = List.copyOf(ofRanks);
  }

  /** Those of the ranks of {@code world}, all of which ask. */
  public static Machines of(World world) {
    List<byte[]> names = world.tell(own().getBytes(StandardCharsets.UTF_8));
    return new Machines(
        names.stream().map(name -> new String(name, StandardCharsets.UTF_8)).toList());
  }

  /** What this machine is called, and no other. */
  public static String own() {
    try {
      return Files.readString(BOOT_ID).strip();
    } catch (IOException e) { // there is none outside Linux
      return ManagementFactory.getRuntimeMXBean().getName().split("@", 2)[1];
    }
  }

  /** Whether two ranks are known to be on different machines. */
  boolean differ(int rank, int other) {
    return !ofRanks.isEmpty() && !ofRanks.get(rank).equals(ofRanks.get(other));
  }

  /**
   * How many of {@code ranks} each machine has, if those of a machine follow one another and all
   * machines have equally many; else, or where nobody knows, all of them.
   */
  public int each(List<Integer> ranks) {
    if (ofRanks.isEmpty()) {
      return ranks.size();
    }
    List<String> names = ranks.stream().map(ofRanks::get).toList();
    long different = names.stream().distinct().count();
    int each = Math.toIntExact(names.size() / different);
    boolean even =
        each * different == names.size()
            && IntStream.range(0, names.size())
                .allMatch(i -> names.get(i).equals(names.get(i - i % each)));
    return even ? each : names.size();
  }
}
