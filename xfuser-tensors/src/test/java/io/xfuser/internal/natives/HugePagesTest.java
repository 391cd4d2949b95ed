package io.xfuser.internal.natives;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.xfuser.torchscript.Torch;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

@EnabledOnOs(OS.LINUX)
class HugePagesTest {
  private static final Path KERNELS = Path.of("/sys/kernel/mm/transparent_hugepage/enabled");

  @Test
  void largeTensorsAskForHugePagesThoughTheEnvironmentDoesNotSaySo() throws Exception {
    assumeTrue(Files.exists(KERNELS), "a kernel that has such pages");
    assertThat(FreshProgram.shown(OneTensor.class, Map.of())).contains("asked: true");
  }

  @Test
  void whatTheEnvironmentSaysStays() throws Exception {
    Map<String, String> never = Map.of("THP_MEM_ALLOC_ENABLE", "0");
    assertThat(FreshProgram.shown(OneTensor.class, never)).contains("asked: false");
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
