package io.xfuser.cli.runner;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.xfuser.cli.CommandProcess;
import io.xfuser.cli.XDiT;
import io.xfuser.internal.device.Gpus;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class RunnerTest {
  private static final Path SIGMA =
      Path.of("../xfuser-models/src/test/resources/fixtures/pixart_sigma_tiny");

  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();
  private final Map<String, String> environment = new HashMap<>();
  @TempDir private Path directory = Path.of("");

  @Test
  void helpShowsTheFlagsAndIsNoFailure() {
    assertThat(run("--help")).isZero();
    assertThat(out.toString(UTF_8)).contains("--pipefusion_parallel_degree", "--report");
    assertThat(err.size()).isZero();
  }

  @Test
  void theVersionNamesLibtorchAndJavaToo() {
    assertThat(run("--version")).isZero();
    assertThat(out.toString(UTF_8)).matches("xfuser .*, libtorch 2\\.7\\.1, Java " + ".*\\R");
  }

  @ParameterizedTest
  @MethodSource
  void badInputIsOneSentenceAndLeavesNothing(String flags, String sentence) throws IOException {
    Path file = Files.createFile(directory.resolve("file"));
    Path results = directory.resolve("results");
    String[] argv =
        ("--output_directory RESULTS --prompt fox " + flags)
            .replace("RESULTS", results.toString())
            .replace("FILE", file.toString())
            .split(" ");
    assertThat(run(argv)).isEqualTo(2);
    String shown = err.toString(UTF_8);
    assertThat(shown.replace(directory.toString(), "DIR"))
        .isEqualTo("XDiT: " + sentence + System.lineSeparator());
    assertThat(out.size()).isZero();
    assertThat(results).doesNotExist();
  }

  static Stream<Arguments> badInputIsOneSentenceAndLeavesNothing() {
    return Stream.of(
        Arguments.of("", "there is no model: give --model"),
        Arguments.of("--model FILE", "DIR/file has 0 bytes, too few for a safetensors file"),
        Arguments.of("--model m --preview_every 2", "--preview_every needs a file: give --preview"),
        Arguments.of(
            "--model m --preview p.png --preview_every 0",
            "--preview is never written with --preview_every 0"),
        Arguments.of(
            "--model m --trace_picture t.PNG",
            "--trace_picture t.PNG must end with .svg, as it is SVG"),
        Arguments.of(
            "--model m --preview p.bmp", "--preview p.bmp must end with .png, .jpg, .webp or .gif"),
        Arguments.of(
            "--model m --video_format gif --fps 60",
            "--video_format gif shows at most 50 frames in a second, but --fps is 60.0"),
        Arguments.of("--model m --report FILE/r", "--report: DIR/file is not a directory"),
        Arguments.of(
            "--model m --report DIR/r --trace DIR/x/../r",
            "--report and --trace are one file, DIR/x/../r"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"--device cuda", "--enable_model_cpu_offload"})
  void aGpuThatIsNotThereIsRefusedBeforeAModelIsDownloaded(String flag) {
    assumeThat(Gpus.found().cuda()).isFalse();
    assertThat(run(("--prompt fox --model nobody/nothing " + flag).split(" ", -1))).isEqualTo(2);
    assertThat(err.toString(UTF_8).lines())
        .containsExactly(
            "XDiT: "
                + flag
                + " cannot be had: this libtorch is one for CPUs only; DJL's cu128 natives, or"
                + " PYTORCH_LIBRARY_PATH, bring one with CUDA");
  }

  @Test
  void aLayoutForAnotherNumberOfRanksIsRejectedBeforeTheRanksMeet() {
    environment.putAll(Map.of("RANK", "0", "WORLD_SIZE", "3"));
    environment.putAll(Map.of("MASTER_ADDR", "127.0.0.1", "MASTER_PORT", "1"));
    assertThat(run(flags("--ulysses_degree", "4"))).isEqualTo(2);
    assertThat(err.toString(UTF_8).lines())
        .containsExactly(
            "XDiT: the degrees multiply to 4 (--ulysses_degree 4), but there are 3 ranks");
  }

  @Test
  void anExampleOfAnotherModelSaysSo() {
    Runner alpha = new Runner(XDiT.class, "pixart_alpha", environment, stream(out), stream(err));
    assertThat(alpha.run(flags())).isEqualTo(2);
    assertThat(err.toString(UTF_8).lines())
        .containsExactly(
            "XDiT: "
                + SIGMA
                + " is a pixart_sigma model, but this example draws with pixart_alpha");
  }

  @ParameterizedTest
  @CsvSource({"--fps, 24", "--video_format, webp"})
  void whatIsAboutVideosIsRefusedWhereAPictureIsDrawn(String flag, String value) {
    assertThat(run(flags(flag, value))).isEqualTo(2);
    assertThat(err.toString(UTF_8).lines())
        .containsExactly(
            "XDiT: " + flag + " is about a video's file, but the model makes pictures");
  }

  @Test
  void aModelInTheEnvironmentIsTheDefault() {
    environment.put("XFUSER_DEMO_MODEL", directory.resolve("demo").toString());
    assertThat(run("--prompt", "fox")).isEqualTo(2);
    assertThat(err.toString(UTF_8)).contains("no model directory " + directory.resolve("demo"));
  }

  @Test
  void ranksAsThreadsAndAsProcessesDrawTheSamePictureAndReportIt() throws Exception {
    Path threads = directory.resolve("threads");
    Path processes = directory.resolve("processes");
    String name = "pixart_sigma_dp1_cfg1_ulysses1_ring1_pp2_patch2_0.png";
    String[] degrees = {"--pipefusion_parallel_degree", "2"};

    String[] shown = {"--preview", threads.resolve("now.png").toString()};
    assertThat(run(flags(concat(degrees, concat(shown, outputs(threads)))))).isZero();
    assertThat(out.toString(UTF_8).lines())
        .containsExactly("wrote " + threads.resolve("r.json"), "wrote " + threads.resolve(name));
    assertThat(err.toString(UTF_8).lines())
        .allMatch(
            line -> line.matches("step [12]/2, \\d+\\.\\d\\d s/step")) // the first may be late
        .hasSizeBetween(1, 2)
        .last()
        .asString()
        .startsWith("step 2/2");

    String now = processes.resolve("now.png").toString(); // the last stage's process has latents
    String[] launched =
        concat(new String[] {"--launcher", "process", "--preview", now}, outputs(processes));
    String cores = System.getenv().getOrDefault("OMP_NUM_THREADS", "");
    CommandProcess run =
        CommandProcess.start(
            XDiT.class,
            directory,
            Map.of("OMP_NUM_THREADS", cores),
            flags(concat(degrees, launched)));
    assertThat(run.await()).as(() -> lines(run)).isZero();
    for (String same : List.of(name, "now.png")) {
      assertThat(processes.resolve(same)).hasSameBinaryContentAs(threads.resolve(same));
    }
    for (Path report : List.of(threads.resolve("r.json"), processes.resolve("r.json"))) {
      assertThat(Files.readString(report)).contains("\"world_size\" : 2");
    }
  }

  @Test
  void aSecondRunsPictureHasTheNextNumberIsNamedLastAndTellsHowItWasMade() throws IOException {
    Path folder = directory.resolve("pictures");
    String name = "pixart_sigma_dp1_cfg1_ulysses1_ring1_pp1_patch1_";
    String[] all =
        concat(
            outputs(folder),
            new String[] {
              "--trace", folder.resolve("t").toString(), "--quantize_text_encoder", "int8"
            });
    for (int number = 0; number < 2; number++) {
      out.reset();
      assertThat(run(flags(all))).isZero();
      Path picture = folder.resolve(name + number + ".png");
      assertThat(out.toString(UTF_8)).endsWith("wrote " + picture + System.lineSeparator());
      assertThat(Files.readString(picture, ISO_8859_1))
          .containsPattern(
              "tEXtparameters\0a fox\nSteps: 2, Sampler: \\w+, CFG scale: 4\\.5, Seed: 42,"
                  + " Size: 64x64, Model: pixart_sigma_tiny, Version: xfuser")
          .contains("\"layout\":\"dp1_cfg1_ulysses1_ring1_pp1_patch1\"", "\"dtype\":\"float32\"")
          .contains("\"quantize_text_encoder\":\"int8\"");
    }
    assertThat(folder.resolve(name + "0.png"))
        .hasSameBinaryContentAs(folder.resolve(name + "1.png"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {"pt | \"images\" | [1,3,64,64]", "latent | \"latents\" | [1,4,8,8]"})
  void tensorsAreWrittenInPicturesPlace(String type, String key, String shape) throws IOException {
    Path folder = directory.resolve("tensors");
    assertThat(run(flags(concat(outputs(folder), new String[] {"--output_type", type})))).isZero();
    Path file = folder.resolve("pixart_sigma_dp1_cfg1_ulysses1_ring1_pp1_patch1_0.safetensors");
    assertThat(out.toString(UTF_8)).endsWith("wrote " + file + System.lineSeparator());
    assertThat(Files.readString(file, ISO_8859_1)).contains(key, "\"shape\":" + shape);
  }

  @ParameterizedTest
  @CsvSource({
    "--output_directory, /proc/x, thread",
    "--output_directory, /proc/x, process",
    "--report, /proc/x/y, thread",
    "--trace, /proc/x/y, thread",
    "--trace_picture, /proc/x/y, thread",
  })
  void aFileSystemThatTakesNoFilesIsRefusedBeforeAnythingIsDrawn(
      String flag, String place, String launcher) {
    assumeThat(Path.of("/proc")).isDirectory();
    assertThat(run(flags(flag, place, "--launcher", launcher))).isEqualTo(2);
    assertThat(err.toString(UTF_8))
        .matches("XDiT: " + flag + ": /proc cannot be written to: [^:]+\\R");
  }

  @ParameterizedTest
  @CsvSource({"--report, 250", "--trace, 300", "--output_directory, 256"})
  void aNameThatIsTooLongIsRefusedBeforeAnythingIsDrawn(String flag, int letters) {
    Path place = directory.resolve("new").resolve("x".repeat(letters));
    assertThat(run(flags(flag, place.toString()))).isEqualTo(2);
    assertThat(err.toString(UTF_8)).matches("XDiT: " + flag + ": .*x: File name too long\\R");
  }

  @Test
  void aReportThatCannotBeWrittenDoesNotLoseThePicture() {
    Path folder = directory.resolve("kept");
    // found only when it is written: a device without room, of the kernel's
    assumeThat(Path.of("/dev/full")).isWritable();
    String[] report = {"--output_directory", folder.toString(), "--report", "/dev/full"};
    assertThat(run(flags(report))).isEqualTo(1);
    assertThat(err.toString(UTF_8)).contains("/dev/full");
    assertThat(out.toString(UTF_8)).contains("wrote " + folder);
    assertThat(folder).isDirectoryContaining("glob:**.png");
  }

  private static String[] flags(String... more) {
    String[] small = {
      "--model",
      SIGMA.toString(),
      "--prompt",
      "a fox",
      "--num_inference_steps",
      "2",
      "--no_use_resolution_binning",
      "--height",
      "64",
      "--width",
      "64"
    };
    return concat(small, more);
  }

  private static String[] outputs(Path folder) {
    return new String[] {
      "--output_directory", folder.toString(), "--report", folder.resolve("r.json").toString()
    };
  }

  private static String[] concat(String[] first, String[] second) {
    return Stream.of(first, second).flatMap(Stream::of).toArray(String[]::new);
  }

  private static String lines(CommandProcess run) {
    try {
      return String.join("\n", run.errLines());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private int run(String... argv) {
    return new Runner(XDiT.class, null, environment, stream(out), stream(err)).run(argv);
  }

  private static PrintStream stream(ByteArrayOutputStream bytes) {
    return new PrintStream(bytes, true, UTF_8);
  }
}
