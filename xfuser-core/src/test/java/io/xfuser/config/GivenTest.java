package io.xfuser.config;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.xfuser.failure.ArgumentException;
import java.nio.file.Path;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;

@SuppressWarnings("NullAway") // as callers without it may
class GivenTest {
  private static final EngineConfig ENGINE = EngineConfig.of(Path.of("model"));

  @Test
  void whatIsNullIsNamed() {
    refused("the directory of the model", () -> EngineConfig.builder((Path) null).build());
    refused("the name of the model", () -> EngineConfig.builder((ModelName) null).build());
    refused("model", () -> EngineConfig.builder((ModelConfig) null).build());
    refused("model", () -> ENGINE.toBuilder().model(null));
    refused("runtime", () -> ENGINE.toBuilder().runtime((RuntimeConfig) null));
    refused("parallel", () -> ENGINE.toBuilder().parallel((ParallelConfig) null));
    refused("prompt", () -> InputConfig.builder((String[]) null));
  }

  @Test
  void aTextThatIsNullIsNone() {
    assertThatThrownBy(() -> InputConfig.builder((String) null))
        .isInstanceOf(ArgumentException.class)
        .hasMessage("prompt must be a text, but is null");
    assertThatThrownBy(() -> InputConfig.builder("a fox").negativePrompts((String) null))
        .isInstanceOf(ArgumentException.class)
        .hasMessage("negative_prompt must be a text, but is null");
  }

  private static void refused(String name, ThrowingCallable call) {
    assertThatThrownBy(call)
        .isInstanceOf(ArgumentException.class)
        .hasMessage(name + " must be given, but is null");
  }
}
