package io.xfuser.models;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.xfuser.testing.Factories;
import io.xfuser.torchscript.DeviceRun;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Torch;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** No program of a model makes a tensor on another device than its arguments'. */
class DevicesTest {
  private static final Path RESOURCES = Path.of("src/main/resources");
  private static final Path CALLS = Path.of("src/test/resources/io/xfuser/models/devices");

  /** The functions that name a device: what they make belongs there, whatever the run's device. */
  private static final Map<String, Set<String>> NAMED =
      Map.of(
          "steps.py", Set.of("coefficients"), // numbers, which libtorch takes from the CPU
          "int8.py", Set.of("trial", "promised"), // what this CPU can multiply
          "mapping.py", Set.of("map_file", "promised", "identity")); // files are on the CPU

  @BeforeEach
  void prepare() {
    Torch.prepareThread(1);
  }

  /**
   * Each program, its shared texts first, with the functions that are not called, because they read
   * a number from a tensor, which a device without memory cannot.
   */
  static Stream<Arguments> programs() {
    return Stream.of(
        Arguments.of("internal/adaln/adaln", "kept_text"),
        Arguments.of("internal/scheduler/steps", ""),
        Arguments.of("internal/parts/embedding", ""),
        Arguments.of("internal/lora/lora", ""),
        Arguments.of("internal/weights/mapping", "identity map_file promised"),
        Arguments.of("internal/weights/mapping internal/weights/widening", ""),
        Arguments.of("internal/weights/int8", "trial"),
        Arguments.of("internal/joint/stream", ""),
        Arguments.of("internal/joint/stream internal/sd3/sd3", ""),
        Arguments.of("internal/joint/rotary", ""),
        Arguments.of("internal/joint/stream internal/joint/rotary internal/joint/blocks", ""),
        Arguments.of("internal/flux/flux", ""),
        Arguments.of("internal/hunyuandit/hunyuandit", ""),
        Arguments.of("internal/dit/dit", ""),
        Arguments.of("internal/latte/latte", ""),
        Arguments.of("internal/latte/text", "tokens"),
        Arguments.of("internal/text/encoder", ""),
        Arguments.of("internal/text/encoder internal/text/bert", ""),
        Arguments.of("internal/text/encoder internal/text/clip", ""),
        Arguments.of("internal/text/encoder internal/text/t5", ""),
        Arguments.of("internal/text/encoder internal/text/decoder", ""),
        Arguments.of("internal/zimage/zimage", "caption"),
        Arguments.of("internal/joint/rotary internal/flux2/flux2", ""),
        Arguments.of("internal/chroma/chroma", ""),
        Arguments.of("internal/vae/vae", ""),
        Arguments.of("internal/vae/latents", ""),
        Arguments.of("internal/vae/vae_encoder", ""));
  }

  @ParameterizedTest
  @MethodSource("programs")
  void functionsStayOnTheDeviceOfTheirArguments(String programs, String others) throws IOException {
    run(programs).stays(others);
  }

  @ParameterizedTest
  @MethodSource("programs")
  void functionsMultiplyInTheTypeThatIsChosen(String programs) throws IOException {
    run(programs).multiplies(ElementType.BFLOAT16);
    run(programs).multiplies(ElementType.FLOAT16);
  }

  /** Blocks, in which fused operators have CUDA's branches. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "internal/adaln/adaln",
        "internal/joint/stream internal/sd3/sd3",
        "internal/joint/rotary internal/flux2/flux2",
        "internal/joint/stream internal/joint/rotary internal/joint/blocks",
        "internal/flux/flux",
        "internal/hunyuandit/hunyuandit",
        "internal/dit/dit",
        "internal/latte/latte"
      })
  void functionsComputeTheSameElsewhere(String programs) throws IOException {
    run(programs).computesTheSameElsewhere();
  }

  @Tag("gpu")
  @ParameterizedTest
  @MethodSource("programs")
  void functionsStayOnAGpu(String programs) throws IOException {
    assertThat(run(programs).strays("cuda:0")).isZero();
  }

  @Test
  void noProgramIsForgotten() {
    assertThat(programs().map(program -> String.valueOf(program.get()[0]).replaceAll(".* ", "")))
        .containsExactlyInAnyOrderElementsOf(
            Factories.programs(RESOURCES).stream()
                .map(file -> RESOURCES.resolve("io/xfuser/models").relativize(file))
                .map(file -> file.toString().replace(".py", ""))
                .toList());
  }

  @Test
  void everyFactoryNamesItsDevice() throws IOException {
    List<Path> programs = Factories.programs(RESOURCES);
    assertThat(programs).hasSizeGreaterThan(10);
    for (Path program : programs) {
      String text = Files.readString(program);
      assertThat(Factories.withoutDevice(text)).as("%s", program).isEmpty();
      assertThat(Factories.thatNameDevices(text))
          .as("%s", program)
          .isEqualTo(NAMED.getOrDefault(String.valueOf(program.getFileName()), Set.of()));
    }
  }

  @Test
  void aStrayIsFoundWhereItIsMixed() throws IOException {
    DeviceRun run = run("internal/parts/embedding");
    assertThatThrownBy(() -> run.with("dtype=7, device=positions.device", "dtype=7").strays("meta"))
        .hasMessageContaining("device");
  }

  private static DeviceRun run(String programs) throws IOException {
    List<String> resources = new ArrayList<>();
    for (String program : programs.split(" ", -1)) {
      resources.add("/io/xfuser/models/" + program + ".py");
    }
    String name = programs.substring(programs.lastIndexOf('/') + 1);
    return DeviceRun.of(
        DevicesTest.class, resources, Files.readString(CALLS.resolve(name + ".py")));
  }
}
