package io.xfuser.internal.natives;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.xfuser.torchscript.Program;
import io.xfuser.torchscript.Torch;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

class OpenMpTest {
  @Test
  @EnabledOnOs(OS.LINUX)
  void libtorchsThreadsSleepWhileTheyWaitThoughTheEnvironmentDoesNotSaySo() throws Exception {
    assertThat(settingsOfAProgram(Map.of())).contains("GOMP_SPINCOUNT = '0'");
  }

  @Test
  @EnabledOnOs(OS.LINUX)
  void whatTheEnvironmentSaysStays() throws Exception {
    assertThat(settingsOfAProgram(Map.of("GOMP_SPINCOUNT", "77")))
        .contains("GOMP_SPINCOUNT = '77'");
  }

  @Test
  void everyVariableOfWaitingIsAChoiceOfTheUsers() {
    assertThat(OpenMp.isChosen(Map.of("OMP_NUM_THREADS", "2", "OMP_WAIT_POLICY", " "))).isFalse();
    for (String name : List.of("OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME")) {
      assertThat(OpenMp.isChosen(Map.of(name, "1"))).as(name).isTrue();
    }
  }

  /** What OpenMP shows of itself when a program that embeds this library loads it. */
  private static String settingsOfAProgram(Map<String, String> environment)
      throws IOException, InterruptedException {
    ProcessBuilder builder =
        new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-XX:TieredStopAtLevel=1",
            "-cp",
            System.getProperty("java.class.path"),
            Program.class.getName());
    builder.redirectErrorStream(true);
    builder.environment().keySet().removeAll(List.of("OMP_WAIT_POLICY", "GOMP_SPINCOUNT"));
    builder.environment().put("OMP_DISPLAY_ENV", "verbose");
    builder.environment().putAll(environment);
    Process program = builder.start();
    String shown = new String(program.getInputStream().readAllBytes(), UTF_8);
    assertThat(program.waitFor()).as(shown).isZero();
    return shown;
  }

  /** A program that computes nothing. */
  static final class Program {
    private Program() {}

    public static void main(String[] arguments) {
      Torch.newManager().close();
    }
  }
}
