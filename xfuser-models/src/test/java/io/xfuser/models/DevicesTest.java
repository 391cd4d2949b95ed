package io.xfuser.models;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.xfuser.models.contract.CoveringArray;
import io.xfuser.testing.Factories;
import io.xfuser.torchscript.DeviceRun;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Torch;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

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
   * Each program, its shared texts first. The file of its calls says which those are (after), which
   * functions are not called, because they read a number from a tensor, which a device without
   * memory cannot, and whether it has fused operators with branches for CUDA (elsewhere).
   */
  static Stream<String> programs() {
    return Factories.programs(RESOURCES).stream()
        .map(file -> RESOURCES.resolve("io/xfuser/models/internal").relativize(file))
        .map(file -> file.toString().replace('\\', '/').replace(".py", ""))
        .map(program -> (header(program, "after") + " " + program).strip());
  }

  static Stream<String> programsWithBranches() {
    return programs().filter(program -> !header(program, "elsewhere").isEmpty());
  }

  /** What the calls of the last of {@code programs} say under {@code key}. */
  private static String header(String programs, String key) {
    return calls(programs)
        .lines()
        .filter(line -> line.startsWith("# " + key + ": "))
        .map(line -> line.substring(key.length() + 4))
        .findFirst()
        .orElse("");
  }

  private static String calls(String programs) {
    try {
      return Files.readString(
          CALLS.resolve(programs.substring(programs.lastIndexOf('/') + 1) + ".py"));
    } catch (IOException e) {
      throw new UncheckedIOException("every program has a file of calls", e);
    }
  }

  @ParameterizedTest
  @MethodSource("programs")
  void functionsStayOnTheDeviceOfTheirArguments(String programs) throws IOException {
    run(programs).stays(header(programs, "not called"));
  }

  /** Where the CPU does not multiply it in fp32, and where it does. */
  @ParameterizedTest
  @MethodSource("programs")
  void functionsMultiplyInTheTypeThatIsChosen(String programs) throws IOException {
    List<ElementType> types = List.of(ElementType.BFLOAT16, ElementType.FLOAT16);
    for (ElementType type : CoveringArray.part(types, programs.hashCode(), types.size())) {
      run(programs).multiplies(type);
    }
  }

  @Tag("complete")
  @ParameterizedTest
  @MethodSource("programs")
  void functionsStayOnACpu(String programs) throws IOException {
    assertThat(run(programs).strays("cpu")).isZero();
  }

  @ParameterizedTest
  @MethodSource("programsWithBranches")
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
  void blocksHaveBranches() {
    assertThat(programsWithBranches()).hasSizeGreaterThan(5);
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
    DeviceRun run = run("parts/embedding");
    assertThatThrownBy(() -> run.with("dtype=7, device=positions.device", "dtype=7").strays("meta"))
        .hasMessageContaining("device");
  }

  private static DeviceRun run(String programs) throws IOException {
    List<String> resources =
        Stream.of(programs.split(" ", -1))
            .map(program -> "/io/xfuser/models/internal/" + program + ".py")
            .toList();
    return DeviceRun.of(DevicesTest.class, resources, calls(programs));
  }
}
