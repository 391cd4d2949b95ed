package io.xfuser.examples.realsize;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

class RealSizeCheckTest {
  private static final JsonMapper JSON = new JsonMapper();

  @Test
  void theTensorsAreAsManyAsThePublishedOnes() throws IOException {
    JsonNode files = read("/io/xfuser/examples/gpucheck/pixart_sigma.json");
    JsonNode text = read("/io/xfuser/examples/realsize/t5_xxl.json");
    // the parameters of the published files
    assertThat(elements(PixArtTensors.text(text))).isEqualTo(4_762_310_656L);
    assertThat(elements(PixArtTensors.transformer(files.get("transformer/config.json"))))
        .isEqualTo(610_856_096L);
    assertThat(elements(PixArtTensors.vae(files.get("vae/config.json")))).isEqualTo(83_653_863L);
  }

  @EnabledOnOs(OS.LINUX) // others do not tell what memory is anonymous
  @Test
  void aNarrowModelIsWrittenDrawnAndMeasured(@TempDir Path folder) throws IOException {
    String model = folder.resolve("model").toString();
    assertThat(
            RealSizeCheck.run(
                "write",
                "--folder",
                model,
                "--tokenizer",
                "demo-model/tokenizer",
                "--layers",
                "1",
                "--narrow"))
        .isZero();
    Path results = folder.resolve("bfloat16.json");
    assertThat(
            RealSizeCheck.run(
                "measure",
                "--folder",
                model,
                "--dtype",
                "bfloat16",
                "--side",
                "32",
                "--steps",
                "1",
                "--tokens",
                "20",
                "--results",
                results.toString()))
        .isZero();
    Measured run = JSON.readValue(results.toFile(), Measured.class);
    assertThat(run.phases())
        .extracting(MeasuredPhase::name)
        .containsExactly("loading", "text", "steps", "decoding");
    assertThat(run.peakBytes()).isPositive();
    assertThat(Table.lines(List.of(run, run)))
        .anyMatch(line -> line.startsWith("| bfloat16 | text"));
  }

  private static long elements(List<RandomTensor> tensors) {
    return tensors.stream().mapToLong(RandomTensor::elements).sum();
  }

  private static JsonNode read(String resource) throws IOException {
    try (InputStream in = RealSizeCheckTest.class.getResourceAsStream(resource)) {
      return JSON.readTree(Objects.requireNonNull(in, resource));
    }
  }
}
