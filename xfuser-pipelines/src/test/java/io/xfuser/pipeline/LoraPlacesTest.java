package io.xfuser.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.xfuser.failure.ArgumentException;
import io.xfuser.failure.HubException;
import io.xfuser.failure.ModelException;
import io.xfuser.hub.Hub;
import io.xfuser.hub.HubServer;
import io.xfuser.hub.HubSettings;
import io.xfuser.internal.weights.Lora;
import io.xfuser.internal.weights.LoraSource;
import io.xfuser.progress.ProgressListener;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

class LoraPlacesTest {
  private static final String PEFT = "adapter_model.safetensors";

  @TempDir Path folder;

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private Path file(String name, String content) throws IOException {
    Path file = folder.resolve(name);
    Files.createDirectories(file.resolveSibling(""));
    return Files.writeString(file, content);
  }

  private static Lora here(Object place) {
    return LoraPlaces.find(
        new LoraSource(false, place.toString(), 0.5),
        () -> {
          throw new AssertionError("the hub is asked");
        });
  }

  private Lora onHub(HubServer server, String place, boolean offline) {
    HubSettings settings = new HubSettings(server.endpoint(), null, folder.resolve("c"), offline);
    return LoraPlaces.find(
        new LoraSource(false, place, 1), () -> new Hub(settings, ProgressListener.NONE));
  }

  @Test
  void aFileIsNamedByItsLastStepAndKnownByItsContent() throws IOException {
    Lora lora = here(file("me/x.safetensors", "some"));
    assertThat(lora.name()).isEqualTo("x.safetensors");
    assertThat(lora.title()).isEqualTo("x.safetensors:0.5");
    assertThat(here(file("you/y.safetensors", "some")).digest()).isEqualTo(lora.digest());
    assertThat(here(file("me/x.safetensors", "other"))).isNotEqualTo(lora);
    assertThat(here(file("me/x.safetensors", "some"))).isEqualTo(lora);
  }

  @Test
  void aFolderHasTheFileThatDiffusersOrPeftWriteOrTheOnlyOne() throws IOException {
    Path only = file("one/any.safetensors", "a");
    assertThat(here(folder.resolve("one")).file()).isEqualTo(only);
    file("one/other.safetensors", "b");
    assertThatThrownBy(() -> here(folder.resolve("one")))
        .isInstanceOf(ModelException.class)
        .hasMessage(
            "%s has several files, of which one must be named: any.safetensors, other.safetensors"
                .formatted(folder.resolve("one")));
    Path peft = file("one/" + PEFT, "c");
    assertThat(here(folder.resolve("one")).file()).isEqualTo(peft);
    Lora without = here(folder.resolve("one"));
    file("one/adapter_config.json", "{}");
    assertThat(here(folder.resolve("one")).digest()).isNotEqualTo(without.digest());
    file("none/readme.txt", "");
    assertThatThrownBy(() -> here(folder.resolve("none")))
        .hasMessage("%s has no .safetensors file".formatted(folder.resolve("none")));
  }

  @Test
  @DisabledOnOs(OS.WINDOWS)
  @Timeout(300)
  void aPipeOrDeviceIsRefusedUnopened() throws Exception {
    Path pipe = folder.resolve("pipe.safetensors");
    assertThat(new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor()).isZero();
    for (Path place : new Path[] {pipe, folder, Path.of("/dev/zero")}) {
      assertThatThrownBy(() -> here(place))
          .isInstanceOf(ArgumentException.class)
          .hasMessage(
              "%s is no regular file: a LoRA is a .safetensors file, or a folder that has one",
              place.equals(folder) ? pipe : place);
    }
  }

  @Test
  void whatIsNeitherHereNorANameOfTheHubIsRefused() {
    for (String place :
        new String[] {"x.safetensors", "loras/x.safetensors", "/no/such/x", "C:\\x"}) {
      assertThatThrownBy(() -> here(place))
          .isInstanceOf(ArgumentException.class)
          .hasMessage(
              "there is no LoRA "
                  + place
                  + ", and those of the hub are named org/name or org/name/file.safetensors");
    }
  }

  @Test
  void oneFileOfTheHubIsDownloadedOnceWithPeftsSettings() throws IOException {
    try (HubServer server = new HubServer("org/loras")) {
      server.with(PEFT, bytes("adapter")).with("adapter_config.json", bytes("{}"));
      server.with("more/a.safetensors", bytes("a")).with("README.md", bytes("no"));
      Lora peft = onHub(server, "org/loras", false);
      assertThat(peft.file()).hasContent("adapter");
      assertThat(peft.file().resolveSibling("adapter_config.json")).hasContent("{}");
      assertThat(peft.name()).isEqualTo("org/loras");
      assertThat(peft.file().resolveSibling("README.md")).doesNotExist();
      assertThat(onHub(server, "org/loras/more/a.safetensors", false).file()).hasContent("a");
      int requests = server.requests().size();
      assertThat(onHub(server, "org/loras", true)).isEqualTo(peft);
      assertThat(onHub(server, "org/loras@main/more/a.safetensors", false).file()).hasContent("a");
      assertThat(server.requests()).hasSize(requests);
    }
  }

  @Test
  void aRepositoryWithoutALoraAtItsTopIsRefused() throws IOException {
    try (HubServer server = new HubServer("org/loras")) {
      server.with("README.md", bytes("no"));
      assertThatThrownBy(() -> onHub(server, "org/loras", false))
          .hasMessage("org/loras has no .safetensors file");
      assertThatThrownBy(() -> onHub(server, "org/loras/a.safetensors", false))
          .hasMessage("org/loras has no file a.safetensors");
    }
    try (HubServer server = new HubServer("org/more")) {
      server.with("more/a.safetensors", bytes("a"));
      assertThatThrownBy(() -> onHub(server, "org/more", false))
          .hasMessage(
              "org/more has no .safetensors file outside its folders, but [more/a.safetensors]");
    }
  }

  @Test
  void whatTheHubDoesNotHaveIsSaid() throws IOException {
    try (HubServer server = new HubServer("org/loras")) {
      server.with("a.safetensors", bytes("a")).with("b.safetensors", bytes("b"));
      assertThatThrownBy(() -> onHub(server, "org/loras", false))
          .hasMessage(
              "org/loras has several files, of which one must be named: a.safetensors,"
                  + " b.safetensors");
      assertThatThrownBy(() -> onHub(server, "org/loras/c.safetensors", false))
          .hasMessage("org/loras has no file c.safetensors, but [a.safetensors, b.safetensors]");
      assertThatThrownBy(() -> onHub(server, "org/loras/../c.safetensors", false))
          .isInstanceOf(ModelException.class);
      assertThatThrownBy(() -> onHub(server, "org/loras/a.safetensors", true))
          .isInstanceOf(HubException.class)
          .hasMessageContaining("HF_HUB_OFFLINE is set");
    }
  }
}
