package io.xfuser.internal.plan;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Reads what Linux tells of memory, from files as it writes them. */
class HostMemoryTest {
  private static final long MIB = 1 << 20;

  @TempDir private Path root = Path.of("");

  @BeforeEach
  void aMachineWithEightGibibytes() throws IOException {
    write("proc/meminfo", "MemTotal: 16777216 kB", "MemAvailable:    8388608 kB", "SwapFree: 0 kB");
    write("proc/self/status", "Name:\tjava", "VmSize:\t 3145728 kB", "RssAnon:\t  1048576 kB");
    write(
        "proc/self/limits", "Limit  Soft  Hard", "Max address space  unlimited  unlimited  bytes");
  }

  private void write(String file, String... lines) throws IOException {
    Path path = root.resolve(file);
    Files.createDirectories(path.getParent());
    Files.writeString(path, String.join("\n", lines) + "\n");
  }

  private long usable() {
    return new HostMemory(root).usable().orElseThrow() / MIB;
  }

  @Test
  void withoutALimitItIsWhatIsLeftAndWhatTheProcessHas() {
    assertThat(usable()).isEqualTo(8192 + 1024);
  }

  @Test
  void swapIsUsable() throws IOException {
    write("proc/meminfo", "MemAvailable: 8388608 kB", "SwapFree:  2097152 kB");
    assertThat(usable()).isEqualTo(8192 + 2048 + 1024);
  }

  @Test
  void theTightestGroupOfVersion2Counts() throws IOException {
    write("proc/self/cgroup", "0::/pod/container");
    write("sys/fs/cgroup/pod/container/memory.max", "max");
    write("sys/fs/cgroup/pod/container/memory.current", "0");
    write("sys/fs/cgroup/pod/memory.max", String.valueOf(4096 * MIB));
    write("sys/fs/cgroup/pod/memory.current", String.valueOf(3072 * MIB));
    write("sys/fs/cgroup/pod/memory.stat", "anon 1", "inactive_file " + 512 * MIB, "active_file 0");
    assertThat(usable()).isEqualTo(4096 - 3072 + 512 + 1024);
  }

  @Test
  void aGroupOfVersion1CountsWhereItsPathIsSeenFromInside() throws IOException {
    write("proc/self/cgroup", "5:cpu:/x", "4:memory:/docker/abc", "0::/");
    write("sys/fs/cgroup/memory/memory.limit_in_bytes", String.valueOf(2048 * MIB));
    write("sys/fs/cgroup/memory/memory.usage_in_bytes", String.valueOf(1024 * MIB));
    assertThat(usable()).isEqualTo(1024 + 1024);
  }

  @Test
  void noLimitOfVersion1IsNone() throws IOException {
    write("proc/self/cgroup", "4:memory:/");
    write("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712");
    write("sys/fs/cgroup/memory/memory.usage_in_bytes", "1");
    assertThat(usable()).isEqualTo(8192 + 1024);
  }

  @Test
  void anAddressSpaceHasItsLimit() throws IOException {
    write("proc/self/limits", "Max address space         " + 4096 * MIB + "  unlimited  bytes");
    assertThat(usable()).isEqualTo(4096 - 3072 + 1024);
  }

  @Test
  void whereNothingIsToldNothingIsKnown() {
    assertThat(new HostMemory(root.resolve("elsewhere")).usable()).isEmpty();
  }

  @Test
  void thisMachineHasMemory() {
    assertThat(HostMemory.ofThisMachine().usable().orElseThrow() / MIB).isGreaterThan(100);
  }
}
