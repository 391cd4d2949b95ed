package io.xfuser.torchscript;

import static org.assertj.core.api.Assertions.assertThat;

import io.xfuser.testing.Factories;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** No program below the models makes a tensor on another device than its arguments'. */
class DevicesTest {
  /** The functions that name a device: what they make belongs there, whatever the run's device. */
  private static final Map<String, Set<String>> NAMED =
      Map.of(
          "copy_stream.py", Set.of("stream"), // a GPU's own
          "prelude.py", Set.of("rounded"), // a number that is read again at once
          "trial.py", Set.of("products"), // what this CPU can multiply
          "tensors.py", Set.of("empty", "empty_on", "to_device", "multiplied_as"), // as is said
          "upload.py", Set.of("upload"), // from the CPU to where the caller says
          "pipeline.py", Set.of("draw")); // diffusers draws noise on the CPU

  @BeforeEach
  void prepare() {
    Torch.prepareThread(1);
  }

  /** Each program with the functions that are not called, because they take no tensor. */
  static Stream<Arguments> programs() {
    return Stream.of(
        Arguments.of("torchscript/tensors", "empty empty_on multiplied_as to_device"),
        Arguments.of("internal/attention/attention", ""),
        Arguments.of("internal/attention/residuals", ""),
        Arguments.of("nn/patchify", ""),
        Arguments.of("internal/parallel/sums", ""),
        Arguments.of("internal/runtime/image", ""),
        Arguments.of("internal/runtime/pipeline", "draw"));
  }

  @ParameterizedTest
  @MethodSource("programs")
  void functionsStayOnTheDeviceOfTheirArguments(String program, String others) {
    run(program).stays(others);
  }

  @ParameterizedTest
  @MethodSource("programs")
  void functionsMultiplyInTheTypeThatIsChosen(String program) {
    run(program).multiplies(ElementType.BFLOAT16);
    run(program).multipliesNarrow(ElementType.FLOAT16); // a type of their own would be one of these
  }

  @Tag("gpu")
  @ParameterizedTest
  @MethodSource("programs")
  void functionsStayOnAGpu(String program) {
    assertThat(run(program).strays("cuda:0")).isZero();
  }

  @Test
  void thePreludeStaysOnTheDeviceOfItsArguments() {
    DeviceRun.ofPrelude(calls("prelude")).stays("");
  }

  @Test
  void thePreludeMultipliesInTheTypeThatIsChosen() {
    DeviceRun.ofPrelude(calls("prelude")).multiplies(ElementType.BFLOAT16);
    DeviceRun.ofPrelude(calls("prelude")).multiplies(ElementType.FLOAT16);
  }

  @Test
  void thePreludeComputesTheSameElsewhere() {
    DeviceRun.ofPrelude(calls("prelude")).computesTheSameElsewhere();
  }

  @Tag("gpu")
  @Test
  void thePreludeStaysOnAGpu() {
    assertThat(DeviceRun.ofPrelude(calls("prelude")).strays("cuda:0")).isZero();
  }

  /** The others move tensors, or have none; and the prelude has a test. */
  @Test
  void noProgramIsForgotten() {
    List<String> all =
        ProductsTest.programs().stream()
            .map(file -> String.valueOf(file.getFileName()).replace(".py", ""))
            .toList();
    List<String> run =
        programs().map(program -> String.valueOf(program.get()[0]).replaceAll(".*/", "")).toList();
    assertThat(all)
        .containsExactlyInAnyOrderElementsOf(
            Stream.concat(
                    run.stream(),
                    Stream.of(
                        "fused",
                        "prelude",
                        "wide",
                        "products",
                        "trial",
                        "linear_onednn",
                        "linear_plain",
                        "int8",
                        "linear_aten",
                        "upload",
                        "gpus",
                        "gpu_events",
                        "copy_stream"))
                .toList());
  }

  @Test
  void aStrayIsFoundWhereItIsGivenBack() {
    DeviceRun sums = run("internal/parallel/sums").with("x.reshape([-1])", "torch.zeros([6])");
    assertThat(sums.strays("meta")).isEqualTo(2);
  }

  @Test
  void everyFactoryNamesItsDevice() throws IOException {
    List<Path> programs = ProductsTest.programs();
    assertThat(programs).hasSizeGreaterThan(9);
    Map<String, Set<String>> named = new TreeMap<>();
    for (Path program : programs) {
      String text = Files.readString(program);
      assertThat(Factories.withoutDevice(text)).as("%s", program).isEmpty();
      Set<String> functions = Factories.thatNameDevices(text);
      if (!functions.isEmpty()) {
        named.put(String.valueOf(program.getFileName()), functions);
      }
    }
    assertThat(named).isEqualTo(NAMED);
    for (Path program : Factories.programs(Path.of("../xfuser-examples/src/main/resources"))) {
      assertThat(Factories.withoutDevice(Files.readString(program))).as("%s", program).isEmpty();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"tensors", "core", "pipelines", "models", "examples"})
  void generatorsAreOnTheCpu(String module) throws IOException {
    for (Path program :
        Factories.programs(Path.of("../xfuser-" + module + "/src/main/resources"))) {
      assertThat(Factories.generatorsElsewhere(Files.readString(program)))
          .as("%s", program)
          .isEmpty();
    }
    assertThat(Factories.generatorsElsewhere("x = torch.Generator(device=x.device, seed=f(1))"))
        .containsExactly("torch.Generator(device=x.device, seed=f(1))");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "torch.zeros([2])",
        "torch.full([f(1)], 2., dtype=6)",
        "torch.tensor(x, dtype=int(y.dtype))",
        "torch.from_file(path, False, 3, dtype=0)"
      })
  void aFactoryWithoutADeviceIsFound(String call) {
    String text = "def f(self):\n  # torch.ones([1])\n  x = g(" + call + ", device=x.device)\n";
    assertThat(Factories.withoutDevice(text)).containsExactly(call);
  }

  private static DeviceRun run(String program) {
    String name = program.substring(program.lastIndexOf('/') + 1);
    return DeviceRun.of(Program.class, List.of("/io/xfuser/" + program + ".py"), calls(name));
  }

  private static String calls(String name) {
    return ModuleArchive.read(DevicesTest.class, "/io/xfuser/devices/" + name + ".py");
  }
}
