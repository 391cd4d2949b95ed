package io.xfuser.internal.natives;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.jna.Pointer;
import io.xfuser.torchscript.Libtorch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

class TorchWarningsTest {
  @EnabledOnOs(OS.LINUX) // elsewhere it is not known which files are loaded
  @Test
  void onlyErrorsAreShownWhileSomethingIsDone() {
    assertThat(Libtorch.version()).isNotEmpty(); // loads it
    Pointer level = TorchWarnings.level().orElseThrow();
    int before = level.getInt(0);
    assertThat(before).isLessThan(2);
    assertThat(TorchWarnings.<Integer>without(() -> level.getInt(0))).isEqualTo(2);
    assertThat(level.getInt(0)).isEqualTo(before);
    assertThatThrownBy(
            () ->
                TorchWarnings.without(
                    () -> {
                      throw new IllegalStateException("no such kernel");
                    }))
        .hasMessage("no such kernel");
    assertThat(level.getInt(0)).isEqualTo(before);
  }
}
