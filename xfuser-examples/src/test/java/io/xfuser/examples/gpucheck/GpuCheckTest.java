package io.xfuser.examples.gpucheck;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.config.ParallelConfig;
import io.xfuser.internal.device.Gpus;
import io.xfuser.models.internal.weights.Cut;
import io.xfuser.models.internal.weights.Weights;
import io.xfuser.testing.Pixels;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Torch;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class GpuCheckTest {
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();

  @TempDir private Path folder = Path.of("");

  @BeforeEach
  void prepare() {
    Torch.prepareThread(1);
  }

  @Test
  void theScriptRefusesAMachineWithoutADriver() throws Exception {
    assumeTrue(Files.notExists(Path.of("/proc/driver/nvidia/version")));
    Process script =
        new ProcessBuilder("../scripts/gpu-check", "--markdown", page().toString())
            .redirectErrorStream(true)
            .start();
    String said = new String(script.getInputStream().readAllBytes(), UTF_8);
    assertThat(script.waitFor(20, TimeUnit.SECONDS)).isTrue();
    assertThat(script.exitValue()).isEqualTo(2);
    assertThat(said)
        .isEqualTo(
            "gpu-check: this machine has no GPU for CUDA (no NVIDIA driver); --device cpu tries"
                + " the check without one\n");
    assertThat(page()).doesNotExist();
  }

  /** The one setting comes before the user's, which count. */
  @Test
  void theScriptsLiftTheLimitOfJavaCppWhereThereIsAGpu() throws Exception {
    String run = ". ../scripts/lib.sh; JAVA=echo; run_main .. Main -Duser=1 argument 2>/dev/null";
    String limit = "-Dorg.bytedeco.javacpp.maxPhysicalBytes=0";
    assertThat(said("CUDA=yes; " + run)).contains(limit).containsPattern(limit + ".* -Duser=1 ");
    assertThat(said("CUDA=no; " + run)).contains(" -Duser=1 ").doesNotContain(limit);
  }

  /** The script compiles the tests of the library's modules and looks for those for GPUs there. */
  @Test
  void everyModuleWithTestsForGpusIsOfTheLibrary() throws Exception {
    String tagged = "grep -rlE --include=*.java '^ *@Tag[(].gpu.[)]' xfuser-*/src/test/java";
    assertThat(said("cd ..; " + tagged + " | cut -d / -f 1 | sort -u").lines())
        .contains("xfuser-pipelines", "xfuser-models")
        .isSubsetOf(said(". ../scripts/lib.sh; printf '%s\\n' $LIBRARY").lines().toList());
  }

  private static String said(String script) throws IOException {
    Process bash = new ProcessBuilder("bash", "-c", script).start();
    return new String(bash.getInputStream().readAllBytes(), UTF_8);
  }

  @Test
  void aLibtorchThatFindsNoGpuIsRefused() {
    assumeTrue(Gpus.found().count() == 0);
    for (String part : List.of("machine", "kernels", "sizes", "fusing", "events", "processes")) {
      err.reset();
      assertThat(run(part, "--device", "cuda")).as(part).isEqualTo(2);
      assertThat(err.toString(UTF_8))
          .matches(
              "gpu-check: libtorch \\S+ finds no GPU; --device cpu tries this check itself without"
                  + " one\\R");
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "machine --device tpu"
            + "|Invalid value for option '--device': expected one of [CUDA, CPU] (case-insensitive)"
            + " but was 'tpu'",
        "--device cpu --minutes 0|--minutes must be more than 0, but is 0.0",
        "--device cpu --minutes NaN|--minutes must be more than 0, but is NaN",
        "--device cpu --parts laws,lows"
            + "|no experiment lows; there are machine, types, laws, kernels, sizes, fusing, fused,"
            + " compile, events, stack, nccl, processes"
      })
  void wrongArgumentsAreRefusedInOneSentence(String arguments, String sentence) {
    assertThat(run(arguments.split(" "))).isEqualTo(2);
    assertThat(err.toString(UTF_8).strip()).isEqualTo("gpu-check: " + sentence);
  }

  @Test
  void experimentsAreChosenByNameOrNumberAndStayInOrder() {
    assertThat(GpuCheck.chosen(List.of("sizes", "1", "kernels")).stream().map(Experiment::name))
        .containsExactly("machine", "kernels", "sizes");
    assertThat(GpuCheck.chosen(List.of())).isEqualTo(Experiment.ALL);
    assertThat(Experiment.ALL.stream().map(Experiment::number))
        .isEqualTo(IntStream.rangeClosed(1, Experiment.ALL.size()).boxed().toList());
    assertThat(Experiment.ALL).allMatch(one -> one.seconds() < one.limit());
  }

  /** What a GPU decides about a model's step, tried in a small form. */
  @Test
  void kernelsAndFusingAreMeasured() {
    String kernels = told("kernels", "--device", "cpu");
    assertThat(kernels)
        .contains(
            "{\"row\":{\"head size\":72,\"tokens\":37,\"kernel\":\"sdpa_flash\",\"ms\":",
            " is to be the default for D = 64: ms, ")
        .doesNotContain("wrong");
    String fusing = told("fusing", "--device", "cpu");
    assertThat(fusing)
        .contains(
            "{\"decides\":\"fusing saves at most ", "\"GELU is to be ", "channels are to be ");
  }

  @ParameterizedTest
  @CsvSource({
    "2.30.3, true",
    "2.30.4, true",
    "2.31, true",
    "3, true",
    "2.30, false",
    "2.27.3, false"
  })
  void ncclIsComparedByNumbers(String version, boolean atLeast) {
    assertThat(SharedGpu.isAtLeast(version, "2.30.3")).isEqualTo(atLeast);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", "{\"row\": {", "{\"rows\": {}}", "[1]", "{\"row\": {}, \"note\": 1}", "12"})
  void otherLinesAreNoFindings(String line) {
    assertThat(Findings.read(line)).isEmpty();
  }

  @Test
  void aTableOfTheStepBenchIsRead() {
    assertThat(Compile.rows(List.of("| step | s |", "|---|---|", "| ours | 0.5 |", "| cut |")))
        .containsExactly(Map.of("step", "ours", "s", "0.5"), Map.of("step", "cut", "s", ""));
  }

  /** What a part tells in this JVM. */
  private String told(String... arguments) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    PrintStream before = System.out;
    System.setOut(new PrintStream(out, true, UTF_8));
    try {
      assertThat(run(arguments)).as(err.toString(UTF_8)).isZero();
    } finally {
      System.setOut(before);
    }
    return out.toString(UTF_8);
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 3, 4, 6, 8})
  void everyLayoutHasARankForEachGpu(int gpus) {
    assertThat(Processes.layouts(gpus))
        .hasSizeGreaterThan(1)
        .doesNotHaveDuplicates()
        .allMatch(layout -> layout.worldSize() == gpus)
        .allMatch(layout -> layout.ulyssesDegree() <= 4 && layout.tensorDegree() <= 4)
        .anyMatch(layout -> layout.pipefusionDegree() == gpus);
  }

  @Test
  void layoutsOfFourGpusUseEveryAxis() {
    assertThat(Processes.layouts(4).stream().map(ParallelConfig::label))
        .contains("dp1_cfg2_ulysses1_ring2_pp1_patch1", "dp1_cfg1_ulysses1_ring4_pp1_patch1");
    assertThat(Processes.layouts(4)).anyMatch(layout -> layout.tensorDegree() == 4);
  }

  @Test
  void aGpuIsWatchedByWhatItsToolSays() throws Exception {
    GpuWatch watch = GpuWatch.of("printf", "100, 1000\n50, 3000\n[N/A], 7\n 0 , 2000\n");
    long until = System.nanoTime() + Duration.ofSeconds(20).toNanos();
    while (!watch.outsideKernels().equals(OptionalDouble.of(0.5))) { // as all lines have it
      assertThat(System.nanoTime()).isLessThan(until);
      Thread.sleep(5);
    }
    watch.close();
    assertThat(watch.peakBytes().orElseThrow()).isEqualTo(3000.0 * (1 << 20));
  }

  @Test
  void withoutTheToolNothingIsSeen() {
    GpuWatch watch = GpuWatch.of("no-such-tool-of-nvidia");
    watch.close();
    assertThat(watch.outsideKernels()).isEmpty();
    assertThat(watch.peakBytes()).isEmpty();
  }

  @Test
  void aShareOfRandomWeightsIsAPartOfTheWhole() {
    Weights weights = new RandomWeights(Device.cpu(), ElementType.FLOAT32, "").at("block.");
    try (NDManager manager = Torch.newManager()) {
      NDArray whole = weights.get(manager, "linear.weight", 6, 400);
      NDArray part = weights.get(manager, new Cut(0, 2, 5), "linear.weight", 6, 400);
      assertThat(Pixels.largestDifference(part, Torch.slice(manager, whole, 0, 2, 5))).isZero();
      NDArray other = weights.get(manager, "other.weight", 6, 400);
      assertThat(Pixels.largestDifference(whole, other)).isGreaterThan(0.01);
      double sum = 0;
      for (float x : Pixels.floats(whole)) {
        sum += x * x;
      }
      assertThat(Math.sqrt(sum / 2400)).isBetween(0.045, 0.055); // 1/√400
    }
  }

  /** The way of CUDA, taken on the CPU: many threads draw by the one generator of the process. */
  @Test
  void ranksThatDrawTogetherDrawTheSame() {
    RandomWeights weights = new RandomWeights(Device.cpu(), ElementType.BFLOAT16, "");
    long[] shape = {20, 500};
    List<float[]> drawn =
        IntStream.range(0, 40)
            .parallel()
            .mapToObj(
                i -> {
                  try (NDManager manager = Torch.newManager()) {
                    NDArray x = weights.onDevice(manager, shape, i % 2, 1, 0.5);
                    return Pixels.floats(Torch.cast(manager, x, ElementType.FLOAT32));
                  }
                })
            .toList();
    for (int i = 2; i < drawn.size(); i++) {
      assertThat(drawn.get(i)).isEqualTo(drawn.get(i % 2));
    }
    assertThat(drawn.get(0)).isNotEqualTo(drawn.get(1));
  }

  private Path page() {
    return folder.resolve("page.md");
  }

  private int run(String... arguments) {
    return GpuCheck.run(new PrintStream(err, true, UTF_8), arguments);
  }
}
