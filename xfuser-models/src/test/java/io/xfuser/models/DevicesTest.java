package io.xfuser.models;

import static org.assertj.core.api.Assertions.assertThat;

import io.xfuser.testing.Factories;
import io.xfuser.torchscript.DeviceRun;
import io.xfuser.torchscript.Torch;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** No program of a model makes a tensor on another device than its arguments'. */
class DevicesTest {
  private static final Path RESOURCES = Path.of("src/main/resources");
  private static final Path CALLS = Path.of("src/test/resources/io/xfuser/models/devices");

  @BeforeEach
  void prepare() {
    Torch.prepareThread(1);
  }

  /**
   * The functions of {@code others} read a number from a tensor, which a device without memory
   * cannot.
   */
  @ParameterizedTest
  @CsvSource({
    "adaln/adaln, kept_text",
    "joint/stream sd3/sd3, ''",
    "joint/stream flux/flux, ''",
    "hunyuandit/hunyuandit, ''",
    "dit/dit, ''",
    "latte/latte, ''",
    "latte/text, tokens",
    "text/encoder text/bert, ''",
    "vae/vae, ''"
  })
  void functionsStayOnTheDeviceOfTheirArguments(String programs, String others) throws IOException {
    DeviceRun run = run(programs);
    assertThat(run.strays("cpu")).isZero();
    assertThat(run.strays("meta")).isZero();
    assertThat(String.join(" ", run.notCalled())).isEqualTo(others);
  }

  /** They share their first program with BERT. */
  @ParameterizedTest
  @CsvSource({
    "text/encoder text/clip, pooled projected",
    "text/encoder text/t5, block position_bias"
  })
  void otherTextEncodersStayThereToo(String programs, String own) throws IOException {
    DeviceRun run = run(programs);
    assertThat(run.strays("cpu")).isZero();
    assertThat(run.strays("meta")).isZero();
    assertThat(run.notCalled()).doesNotContain(own.split(" "));
  }

  @Tag("gpu")
  @ParameterizedTest
  @ValueSource(
      strings = {
        "adaln/adaln",
        "joint/stream sd3/sd3",
        "joint/stream flux/flux",
        "hunyuandit/hunyuandit",
        "dit/dit",
        "latte/latte",
        "latte/text",
        "text/encoder text/bert",
        "text/encoder text/clip",
        "text/encoder text/t5",
        "vae/vae"
      })
  void functionsStayOnAGpu(String programs) throws IOException {
    assertThat(run(programs).strays("cuda:0")).isZero();
  }

  @Test
  void everyFactoryNamesItsDevice() throws IOException {
    List<Path> programs = Factories.programs(RESOURCES);
    assertThat(programs).hasSizeGreaterThan(10);
    for (Path program : programs) {
      String text = Files.readString(program);
      assertThat(Factories.withoutDevice(text)).as("%s", program).isEmpty();
      assertThat(Factories.thatNameDevices(text)).as("%s", program).isEqualTo(Set.of());
    }
  }

  private static DeviceRun run(String programs) throws IOException {
    List<String> resources = new ArrayList<>();
    for (String program : programs.split(" ")) {
      resources.add("/io/xfuser/models/" + program + ".py");
    }
    String name = programs.substring(programs.lastIndexOf('/') + 1);
    return DeviceRun.of(
        DevicesTest.class, resources, Files.readString(CALLS.resolve(name + ".py")));
  }
}
