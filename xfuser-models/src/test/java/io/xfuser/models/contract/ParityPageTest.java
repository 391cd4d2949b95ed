package io.xfuser.models.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ParityPageTest {
  private static final List<String> KNOWN = List.of("sd3_tiny", "kontext");

  @Test
  void pipelinesThatThereAreMayBeNamed() {
    assertThatCode(() -> ParityPage.requireKnown(KNOWN, KNOWN)).doesNotThrowAnyException();
    assertThatCode(() -> ParityPage.requireKnown(List.of(), KNOWN)).doesNotThrowAnyException();
  }

  @ParameterizedTest
  @ValueSource(strings = {"sd3", "--all"})
  void anUnknownPipelineIsRefusedBeforeThePageIsWritten(String name, @TempDir Path folder)
      throws Exception {
    Path page = Files.writeString(folder.resolve("parity.md"), "before");
    assertThatThrownBy(() -> ParityTable.main(new String[] {page.toString(), name}))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("there is no pipeline " + name + ", only ")
        .hasMessageContaining(" pixart_sigma_tiny ");
    assertThat(page).hasContent("before");
  }
}
