package io.xfuser.internal.natives;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import com.sun.jna.Function;
import com.sun.jna.Platform;
import io.xfuser.torchscript.Torch;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

/**
 * How OpenMP waits and which pages large tensors have, in programs that embed this library: each as
 * the environment says, whether or not it says anything of the other.
 */
@EnabledOnOs(OS.LINUX)
class EnvironmentTest {
  private static final Path KERNELS = Path.of("/sys/kernel/mm/transparent_hugepage/enabled");

  @Test
  void threadsSleepWhileTheyWaitThoughTheEnvironmentDoesNotSaySo() throws Exception {
    assertThat(shown(Map.of("THP_MEM_ALLOC_ENABLE", "0")))
        .contains("GOMP_SPINCOUNT = '0'", "asked: false");
  }

  @Test
  void largeTensorsAskForHugePagesThoughTheEnvironmentDoesNotSaySo() throws Exception {
    String shown = shown(Map.of("GOMP_SPINCOUNT", "77"));
    assertThat(shown).contains("GOMP_SPINCOUNT = '77'");
    if (Files.exists(KERNELS)) { // a kernel that has such pages
      assertThat(shown).contains("asked: true");
    }
  }

  /** Of this process, whose environment says neither unless that of the build does. */
  @Test
  void bothAreSetInOneProcess() {
    Torch.newManager().close();
    Map<String, String> before = System.getenv();
    assertThat(forNativeLibraries("OMP_WAIT_POLICY"))
        .isEqualTo(OpenMp.isChosen(before) ? before.get("OMP_WAIT_POLICY") : "passive");
    assertThat(forNativeLibraries("THP_MEM_ALLOC_ENABLE"))
        .isEqualTo(
            ProcessEnvironment.isBlank("THP_MEM_ALLOC_ENABLE")
                ? "1"
                : before.get("THP_MEM_ALLOC_ENABLE"));
  }

  private static @Nullable String forNativeLibraries(String name) {
    Object[] names = {name};
    return Function.getFunction(Platform.C_LIBRARY_NAME, "getenv").invokeString(names, false);
  }

  /** What OpenMP shows of itself when a program loads it, and what the program says. */
  private static String shown(Map<String, String> environment)
      throws IOException, InterruptedException {
    Map<String, String> all = new HashMap<>(environment);
    all.put("OMP_DISPLAY_ENV", "verbose");
    return FreshProgram.shown(OneTensor.class, all);
  }

  /** A program with a tensor of 64 MiB, that says whether any of its memory asks for huge pages. */
  static final class OneTensor {
    private OneTensor() {}

    public static void main(String[] arguments) throws IOException {
      try (NDManager manager = Torch.newManager()) {
        manager.zeros(new Shape(4096, 4096));
        List<String> mappings = Files.readAllLines(Path.of("/proc/self/smaps"));
        System.out.println(
            "asked: "
                + mappings.stream()
                    .anyMatch(line -> line.startsWith("VmFlags:") && line.contains(" hg")));
      }
    }
  }
}
