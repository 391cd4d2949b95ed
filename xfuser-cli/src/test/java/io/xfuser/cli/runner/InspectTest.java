package io.xfuser.cli.runner;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.junit.jupiter.api.Test;

class InspectTest {
  private static final String FIXTURES = "../xfuser-models/src/test/resources/fixtures/";

  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();

  private int inspect(String... argv) {
    return new Runner(
            InspectTest.class,
            null,
            Map.of(),
            new PrintStream(out, true, StandardCharsets.UTF_8),
            new PrintStream(err, true, StandardCharsets.UTF_8))
        .run(argv);
  }

  @Test
  void aFileIsDescribedByItsTypesAndSizes() throws Exception {
    assertThat(inspect("inspect", "--json", FIXTURES + "formats/blocks.gguf")).isZero();
    JsonNode report = new JsonMapper().readTree(out.toByteArray());
    assertThat(report.path("is").asText()).isEqualTo("a file of 15 tensors of an unknown kind");
    assertThat(report.path("types").path("Q4_K").path("tensors").asInt()).isEqualTo(1);
    assertThat(report.path("types").path("Q4_K").path("bytes").asInt()).isEqualTo(5 * 2 * 144);
  }

  @Test
  void aDirectoryIsDescribedByItsComponents() {
    assertThat(inspect("inspect", FIXTURES + "flux_dev_tiny")).isZero();
    assertThat(out.toString(StandardCharsets.UTF_8))
        .contains("pipeline: FluxPipeline", "is: T5EncoderModel", "missing: nothing");
  }

  @Test
  void whatIsNeitherIsRefusedInASentence() {
    assertThat(inspect("inspect", "nothing.gguf")).isEqualTo(2);
    assertThat(err.toString(StandardCharsets.UTF_8))
        .contains("there is no file or directory nothing.gguf");
    assertThat(inspect("inspect")).isEqualTo(2);
    assertThat(err.toString(StandardCharsets.UTF_8))
        .contains("inspect takes a file or a directory");
  }
}
