package io.xfuser.cli.runner;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

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
  void eachRankOfALayoutIsToldItsWeights() throws Exception {
    String model = FIXTURES + "flux_dev_tiny";
    assertThat(inspect("inspect", model, "--json")).isZero();
    JsonNode serial = memory();
    assertThat(inspect("inspect", model, "--json", "--tensor_parallel_degree", "2")).isZero();
    JsonNode shared = memory();
    assertThat(shared.path("ranks")).hasSize(2);
    JsonNode first = shared.path("ranks").path(0);
    JsonNode alone = serial.path("ranks").path(0);
    assertThat(first.path("transformer_bytes").asLong())
        .isBetween(
            alone.path("transformer_bytes").asLong() / 2,
            alone.path("transformer_bytes").asLong() - 1);
    assertThat(first.path("text_encoder_bytes")).isEqualTo(alone.path("text_encoder_bytes"));
    assertThat(shared.path("ranks").path(1).path("text_encoder_bytes").asLong()).isZero();
    assertThat(serial.path("weight_bytes_in_one_process")).isEqualTo(alone.path("weight_bytes"));
    assertThat(inspect("inspect", model, "--json", "--weights_dtype", "keep")).isZero();
    JsonNode kept = memory().path("ranks").path(0);
    assertThat(kept.path("transformer_bytes_at_once").asLong())
        .isBetween(1L, kept.path("transformer_bytes").asLong() - 1);
    assertThat(kept.path("text_encoder_bytes_at_once").asLong())
        .isBetween(1L, kept.path("text_encoder_bytes").asLong() - 1);
    assertThat(alone.has("text_encoder_bytes_at_once")).isFalse();
  }

  @Test
  void ofLayersThatAreReadAheadTwoAreThereAtATimeAndWhatStays() throws Exception {
    String model = FIXTURES + "pixart_sigma_tiny"; // 9 blocks of one size
    long[] atOnce = new long[2];
    for (int i = 0; i < 2; i++) {
      String ratio = i == 0 ? "0" : "0.5";
      assertThat(
              inspect(
                  "inspect", model, "--json", "--offload", "layerwise", "--resident_ratio", ratio))
          .isZero();
      JsonNode rank = memory().path("ranks").path(0);
      atOnce[i] = rank.path("transformer_bytes_at_once").asLong();
      assertThat(rank.path("flop_per_byte_read").asLong()).isPositive();
      assertThat(2 * atOnce[i]).isBetween(1L, 2 * rank.path("transformer_bytes").asLong() - 1);
    }
    assertThat(atOnce[1]).isGreaterThan(2 * atOnce[0]); // 7 blocks and not 2
    assertThat(
            inspect("inspect", model, "--offload", "layerwise", "--max_memory", "10kB", "--json"))
        .isEqualTo(2);
    assertThat(err.toString(StandardCharsets.UTF_8)).contains("with no block staying");
  }

  private JsonNode memory() throws Exception {
    JsonNode report = new JsonMapper().readTree(out.toByteArray());
    out.reset();
    return report.path("memory");
  }

  @Test
  void aLargerPictureNeedsMore() throws Exception {
    String model = FIXTURES + "sd3_tiny";
    long[] needs = new long[2];
    for (int i = 0; i < 2; i++) {
      String side = String.valueOf(64 << i);
      assertThat(inspect("inspect", model, "--json", "--height", side, "--width", "64")).isZero();
      needs[i] = memory().at("/ranks/0/beside_weights/decoding needs at least/bytes").asLong();
    }
    assertThat(needs[1]).isEqualTo(2 * needs[0]).isPositive();
  }

  @ParameterizedTest
  @CsvSource(
      quoteCharacter = '|',
      value = {
        "flux_dev_tiny/vae, AutoencoderKL",
        "flux_dev_tiny/transformer, FluxTransformer2DModel",
        "flux_dev_tiny/text_encoder_2, T5EncoderModel",
        "flux_dev_tiny/tokenizer, CLIPTokenizer",
        "flux_dev_tiny/scheduler, FlowMatchEulerDiscreteScheduler",
        "loras/pixart_peft, style: peft",
        "loras/flux_kohya.safetensors, made_for: Flux.1",
        "loras/flux_lycoris.safetensors, style: LyCORIS",
      })
  void whatBelongsToAModelIsNamed(String place, String expected) {
    assertThat(inspect("inspect", FIXTURES + place))
        .as(err.toString(StandardCharsets.UTF_8))
        .isZero();
    assertThat(out.toString(StandardCharsets.UTF_8)).contains(expected);
  }

  @Test
  void aLoraIsDescribedByWhatItChanges() throws Exception {
    assertThat(inspect("inspect", "--json", FIXTURES + "loras/sd3_kohya.safetensors")).isZero();
    JsonNode lora = new JsonMapper().readTree(out.toByteArray()).path("lora");
    assertThat(lora.path("style").asText()).isEqualTo("Kohya");
    assertThat(lora.path("ranks")).isNotEmpty();
    assertThat(lora.path("alphas")).isNotEmpty();
    assertThat(lora.path("changes").path("transformer")).isNotEmpty();
  }

  @Test
  void whatCannotBeOpenedIsDescribedAllTheSame(@TempDir Path scratch) throws Exception {
    Path model = scratch.resolve("model");
    try (Stream<Path> files = Files.walk(Path.of(FIXTURES, "dit_tiny"))) {
      for (Path file : files.toList()) {
        Files.copy(file, model.resolve(Path.of(FIXTURES, "dit_tiny").relativize(file)));
      }
    }
    Path config = model.resolve("vae/config.json");
    Files.writeString(config, "{\"_class_name\": \"AutoencoderKL\"}");
    assertThat(inspect("inspect", model.toString()))
        .as(err.toString(StandardCharsets.UTF_8))
        .isZero();
    assertThat(out.toString(StandardCharsets.UTF_8)).contains("DiTPipeline", "problem: ");
    assertThat(inspect("inspect", model.toString(), "--dtype", "float32")).isEqualTo(2);
    assertThat(err.toString(StandardCharsets.UTF_8)).contains("vae").hasLineCount(1);
  }

  @Test
  void aRepositoryOfTheCacheIsItsSnapshot(@TempDir Path cache) throws Exception {
    Path model = cache.resolve("models--org--name");
    Files.createDirectories(model.resolve("refs"));
    Files.createDirectories(model.resolve("snapshots"));
    Files.writeString(model.resolve("refs/main"), "abc");
    Files.createSymbolicLink(
        model.resolve("snapshots/abc"), Path.of(FIXTURES, "flux_dev_tiny").toAbsolutePath());
    assertThat(inspect("inspect", model.toString()))
        .as(err.toString(StandardCharsets.UTF_8))
        .isZero();
    assertThat(out.toString(StandardCharsets.UTF_8)).contains("FluxPipeline", "missing: nothing");
  }

  @ParameterizedTest
  @CsvSource(
      quoteCharacter = '|',
      value = {
        "flux_dev_tiny/vae --ulysses_degree 2; flags are for models that can be drawn with",
        "flux_dev_tiny --model x; inspect is told the model by its place",
        "flux_dev_tiny --pipefusion_parallel_degree 99; --pipefusion_parallel_degree is 99, too"
            + " many for 5 transformer blocks",
        "flux_dev_tiny --heigth 64; did you mean --height",
        "flux_dev_tiny --height 8; must be at least 16",
        "loras; 18 files of weights: name one of them",
        "..; nothing of a component of one or of a LoRA",
      },
      delimiter = ';')
  void nonsenseIsRefusedInASentence(String arguments, String sentence) {
    String[] words = ("inspect " + FIXTURES + arguments).split(" ");
    assertThat(inspect(words)).isEqualTo(2);
    assertThat(err.toString(StandardCharsets.UTF_8)).contains(sentence).hasLineCount(1);
  }

  @Test
  void whatIsNeitherIsRefusedInASentence() {
    assertThat(inspect("inspect", "nothing.gguf")).isEqualTo(2);
    assertThat(err.toString(StandardCharsets.UTF_8))
        .contains("there is no file or directory nothing.gguf");
    assertThat(inspect("inspect")).isEqualTo(2);
    assertThat(err.toString(StandardCharsets.UTF_8))
        .contains("inspect needs a file or a directory");
    for (String asked : new String[] {"-h", "--help"}) {
      out.reset();
      assertThat(inspect("inspect", asked)).isZero();
      assertThat(out.toString(StandardCharsets.UTF_8)).startsWith("Usage: xdit inspect FILE|DIR");
    }
  }
}
