package io.xfuser.internal.natives;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class OpenMpTest {
  @Test
  void everyVariableOfWaitingIsAChoiceOfTheUsers() {
    assertThat(OpenMp.isChosen(Map.of("OMP_NUM_THREADS", "2", "OMP_WAIT_POLICY", " "))).isFalse();
    for (String name : List.of("OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME")) {
      assertThat(OpenMp.isChosen(Map.of(name, "1"))).as(name).isTrue();
    }
  }
}
