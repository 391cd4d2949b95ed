package io.xfuser.cli.runner;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.xfuser.cli.XDiT;
import io.xfuser.cli.quality.Fidelity;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class ComparisonTest {
  private static final Path FIXTURES = Path.of("../xfuser-models/src/test/resources/fixtures");
  private static final Path SIGMA = FIXTURES.resolve("pixart_sigma_tiny");
  private static final Path LATTE = FIXTURES.resolve("latte_tiny");
  private static final String SMALL =
      "--num_inference_steps 2 --no_use_resolution_binning --height 64 --width 64 --prompt fox"
          + " boat";

  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();
  private final Map<String, String> environment = new HashMap<>();
  @TempDir private Path directory = Path.of("");

  @Test
  void ulyssesEqualsSerial() throws IOException {
    assertThat(compare("--ulysses_degree 2")).as(err.toString(UTF_8)).isZero();
    for (JsonNode picture : report().get("pictures")) {
      JsonNode psnr = picture.get("psnr");
      assertThat(psnr.isNull() || psnr.asDouble() > 60).as("PSNR %s", psnr).isTrue();
      assertThat(picture.get("ssim").asDouble()).isBetween(0.9999, 1.0);
    }
  }

  @Test
  void stalePatchesDifferAndTheDifferenceIsShown() throws IOException {
    String degrees = "--pipefusion_parallel_degree 2 --num_pipeline_patch 4 --warmup_steps 0";
    assertThat(compare(degrees + " --trace_picture " + directory.resolve("t.svg")))
        .as(err.toString(UTF_8))
        .isZero();
    JsonNode report = report();
    assertThat(report.get("serial").get("world_size").asInt()).isEqualTo(1);
    assertThat(report.get("parallel").get("world_size").asInt()).isEqualTo(2);
    assertThat(report.get("pictures")).hasSize(2);
    int factor = report.get("amplification").asInt();
    for (JsonNode picture : report.get("pictures")) {
      assertThat(picture.get("psnr").asDouble()).isBetween(5.0, 60.0);
      assertThat(picture.get("ssim").asDouble()).isBetween(0.0, 0.9999);
      String file = picture.get("file").asText();
      BufferedImage parallel = image(file);
      BufferedImage serial = image(file.replace("pp2_patch4", "pp1_patch1"));
      BufferedImage all = image(file.replace(".png", "_compared.png"));
      assertThat(all.getWidth()).isEqualTo(3 * serial.getWidth());
      int x = 17;
      int y = 40;
      assertThat(all.getRGB(x, y)).isEqualTo(serial.getRGB(x, y));
      assertThat(all.getRGB(64 + x, y)).isEqualTo(parallel.getRGB(x, y));
      for (int shift = 0; shift < 24; shift += 8) {
        int difference =
            (serial.getRGB(x, y) >> shift & 255) - (parallel.getRGB(x, y) >> shift & 255);
        assertThat(all.getRGB(128 + x, y) >> shift & 255).isEqualTo(factor * Math.abs(difference));
      }
    }
    assertThat(out.toString(UTF_8))
        .contains(
            "their difference times " + factor,
            "pp2_patch4_1.png: PSNR ",
            "wrote " + directory.resolve("t.svg"));
    assertThat(Files.readString(directory.resolve("t.svg"))).contains("rank 1", "patch 4");
  }

  @Test
  void videosAreComparedFrameByFrameAndPlayBesideTheirDifference() throws IOException {
    String flags =
        SMALL.replace(" boat", "")
            + " --num_frames 4 --num_pipeline_patch 4 --warmup_steps 1 --video_format webp";
    assertThat(run(LATTE, flags + " --report " + directory.resolve("r.json")))
        .as(err.toString(UTF_8))
        .isZero();
    assertThat(report().get("pictures")).hasSize(1);
    for (JsonNode video : report().get("pictures")) {
      String stem = video.get("file").asText().replace(".webp", "");
      List<Double> errors = new ArrayList<>();
      List<Double> similarities = new ArrayList<>();
      for (int frame = 0; frame < 4; frame++) {
        String name = "_000%d.png".formatted(frame);
        Fidelity each =
            Fidelity.of(image(stem.replace("patch4", "patch1") + name), image(stem + name));
        errors.add(Math.pow(10, -each.psnr() / 10));
        similarities.add(each.ssim());
      }
      double mean = errors.stream().mapToDouble(one -> one).average().orElseThrow();
      assertThat(video.get("psnr").asDouble()).isCloseTo(-10 * Math.log10(mean), within(1e-6));
      assertThat(video.get("ssim").asDouble())
          .isCloseTo(
              similarities.stream().mapToDouble(one -> one).average().orElseThrow(), within(1e-9));
      int worst = errors.indexOf(Collections.max(errors));
      JsonNode frame = video.get("worst_frame");
      assertThat(frame.get("file").asText()).isEqualTo("%s_000%d.png", stem, worst);
      assertThat(frame.get("ssim").asDouble()).isEqualTo(similarities.get(worst));
      assertThat(frame.get("psnr").asDouble()).isLessThan(video.get("psnr").asDouble());
      assertThat(frame.has("worst_frame")).isFalse();
      assertThat(directory.resolve("o").resolve(stem + "_compared.webp")).isNotEmptyFile();
      assertThat(out.toString(UTF_8))
          .contains(stem + ".webp: PSNR ", "; the worst frame " + stem + "_000" + worst + ".png: ");
    }
  }

  @ParameterizedTest
  @MethodSource
  void whatCannotBeComparedIsOneSentence(Path model, String flags, String sentence)
      throws IOException {
    assertThat(run(model, flags)).isEqualTo(2);
    assertThat(err.toString(UTF_8)).isEqualTo("XDiT: " + sentence + System.lineSeparator());
    try (Stream<Path> files = Files.list(directory)) {
      assertThat(files).isEmpty();
    }
  }

  static Stream<Arguments> whatCannotBeComparedIsOneSentence() {
    String nothing =
        "there is nothing to compare: one rank draws the whole picture at once; give a parallel"
            + " degree, --num_pipeline_patch or --num_distrifusion_patch";
    String threads = "compare draws with threads of one JVM, not with a JVM per rank";
    return Stream.of(
        Arguments.of(SIGMA, "--prompt fox", nothing),
        Arguments.of(SIGMA, "--prompt fox --num_pipeline_patch 1", nothing),
        Arguments.of(SIGMA, "--prompt fox --ulysses_degree 2 --launcher process", threads),
        Arguments.of(
            SIGMA,
            "--prompt fox --ulysses_degree 2 --output_type latent",
            "compare needs pictures or videos, but --output_type is latent"),
        Arguments.of(SIGMA, "--prompt fox --ulyses_degree 2", UNKNOWN));
  }

  private static final String UNKNOWN =
      "unknown flag --ulyses_degree; did you mean --ulysses_degree?";

  @Test
  void aRankOfSeveralDoesNotCompare() {
    environment.put("RANK", "0");
    assertThat(run(SIGMA, "--prompt fox --ulysses_degree 2")).isEqualTo(2);
    assertThat(err.toString(UTF_8)).contains("not with a JVM per rank");
  }

  private int compare(String degrees) {
    return run(SIGMA, SMALL + " --report " + directory.resolve("r.json") + " " + degrees);
  }

  private int run(Path model, String flags) {
    String all =
        "compare --model " + model + " --output_directory " + directory.resolve("o") + " " + flags;
    return new Runner(XDiT.class, null, environment, stream(out), stream(err)).run(all.split(" "));
  }

  private JsonNode report() throws IOException {
    return new ObjectMapper().readTree(directory.resolve("r.json").toFile());
  }

  private BufferedImage image(String file) throws IOException {
    return ImageIO.read(directory.resolve("o").resolve(file).toFile());
  }

  private static PrintStream stream(ByteArrayOutputStream bytes) {
    return new PrintStream(bytes, true, UTF_8);
  }
}
