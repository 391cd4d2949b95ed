package io.xfuser.internal.natives;

import static org.assertj.core.api.Assertions.assertThat;

import io.xfuser.torchscript.Torch;
import java.io.IOException;
import java.util.HashMap;
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
    Map<String, String> all = new HashMap<>(environment);
    all.put("OMP_DISPLAY_ENV", "verbose");
    return FreshProgram.shown(Program.class, all);
  }

  /** A program that computes nothing. */
  static final class Program {
    private Program() {}

    public static void main(String[] arguments) {
      Torch.newManager().close();
    }
  }
}
