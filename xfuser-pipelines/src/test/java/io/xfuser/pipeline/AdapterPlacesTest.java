package io.xfuser.pipeline;

import static org.assertj.core.api.Assertions.assertThat;

import io.xfuser.config.ModelConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class AdapterPlacesTest {
  @TempDir Path folder;

  private Path found() {
    ModelConfig config =
        ModelConfig.builder(folder).set(ModelConfig.IP_ADAPTER, List.of(folder.toString())).build();
    return AdapterPlaces.of(
            config,
            () -> {
              throw new AssertionError("the hub is asked");
            })
        .get(0)
        .file();
  }

  /** Alone, and beside other files. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "ip_adapter.safetensors",
        "ip-adapter.safetensors",
        "ip-adapter_diffusers.safetensors"
      })
  void aFolderHasTheFileThatIsPublished(String name) throws IOException {
    Path file = Files.writeString(folder.resolve(name), "");
    Files.writeString(folder.resolve("ip-adapter.bin"), "");
    assertThat(found()).isEqualTo(file);
    Files.writeString(folder.resolve("a.safetensors"), "");
    assertThat(found()).isEqualTo(file);
  }
}
