package io.xfuser.internal.plan;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;

/**
 * How much memory this process may use, as Linux tells: what the machine has left, what the limits
 * of its containers leave (control groups of either version), and what its address space has room
 * for. It is an upper bound: memory that the process has taken counts as usable, because it may be
 * free for the next tensors.
 *
 * @param root of the file system, {@code /} but in tests
 */
public record HostMemory(Path root) {
  private static final long KIB = 1024;

  /** Limits from here on are none: version 1 writes the largest number of pages. */
  private static final long NO_LIMIT = 1L << 60;

  public static HostMemory ofThisMachine() {
    return new HostMemory(Path.of("/"));
  }

  /** Bytes that are there for this process; nothing where the system does not tell. */
  public OptionalLong usable() {
    Map<String, Long> machine = numbers(root.resolve("proc/meminfo"));
    Long available = machine.get("MemAvailable");
    if (available == null) {
      return OptionalLong.empty();
    }
    Map<String, Long> own = numbers(root.resolve("proc/self/status"));
    long taken = own.getOrDefault("RssAnon", 0L) * KIB;
    long swap = machine.getOrDefault("SwapFree", 0L) * KIB;
    long least = Math.min(available * KIB, inContainers()) + swap + taken;
    long addresses = addressSpace();
    return OptionalLong.of(
        addresses == NO_LIMIT
            ? least
            : Math.min(least, addresses - own.getOrDefault("VmSize", 0L) * KIB + taken));
  }

  /** What the control groups of this process leave, the innermost and those around it. */
  private long inContainers() {
    long least = NO_LIMIT;
    for (String line : lines(root.resolve("proc/self/cgroup"))) {
      String[] parts = line.split(":", 3); // number:controllers:path
      if (parts.length == 3 && parts[1].isEmpty()) {
        CgroupFiles names = new CgroupFiles("memory.max", "memory.current");
        least = Math.min(least, around("sys/fs/cgroup", parts[2], names));
      } else if (parts.length == 3 && List.of(parts[1].split(",")).contains("memory")) {
        CgroupFiles names = new CgroupFiles("memory.limit_in_bytes", "memory.usage_in_bytes");
        least = Math.min(least, around("sys/fs/cgroup/memory", parts[2], names));
      }
    }
    return least;
  }

  /** The names of a group's files. */
  private record CgroupFiles(String limit, String usage) {}

  private long around(String mount, String path, CgroupFiles names) {
    Path top = root.resolve(mount);
    Path named = top.resolve(path.substring(Math.min(1, path.length()))).normalize();
    Path group = named.startsWith(top) ? named : top; // a path of outside the container
    long least = NO_LIMIT;
    for (Path at = group; at != null && at.startsWith(top); at = at.getParent()) {
      least = Math.min(least, left(at, names));
    }
    return least;
  }

  private static long left(Path group, CgroupFiles names) {
    long limit = number(group.resolve(names.limit()));
    long usage = number(group.resolve(names.usage()));
    if (limit >= NO_LIMIT || usage >= NO_LIMIT) {
      return NO_LIMIT;
    }
    Map<String, Long> kinds = numbers(group.resolve("memory.stat"));
    long files = // which the kernel drops where memory is short
        kinds.getOrDefault("inactive_file", 0L) + kinds.getOrDefault("active_file", 0L);
    return Math.max(0, limit - Math.max(0, usage - files));
  }

  private long addressSpace() {
    for (String line : lines(root.resolve("proc/self/limits"))) {
      if (line.startsWith("Max address space")) {
        String soft = line.substring("Max address space".length()).strip().split("\\s+", 2)[0];
        return soft.matches("\\d{1,18}") ? Long.parseLong(soft) : NO_LIMIT;
      }
    }
    return NO_LIMIT;
  }

  private static long number(Path file) {
    List<String> lines = lines(file);
    String text = lines.isEmpty() ? "" : lines.get(0).strip();
    return text.matches("\\d{1,18}") ? Long.parseLong(text) : NO_LIMIT;
  }

  /** Lines of a name and a number, with or without a colon and a unit. */
  private static Map<String, Long> numbers(Path file) {
    Map<String, Long> numbers = new HashMap<>();
    for (String line : lines(file)) {
      String[] words = line.split(":?\\s+", -1);
      if (words.length > 1 && words[1].matches("\\d{1,18}")) {
        numbers.put(words[0], Long.parseLong(words[1]));
      }
    }
    return numbers;
  }

  private static List<String> lines(Path file) {
    try {
      return Files.isReadable(file) ? Files.readAllLines(file) : List.of();
    } catch (IOException e) {
      return List.of(); // not Linux, or not ours to read
    }
  }
}
