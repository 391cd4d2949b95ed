package io.xfuser.examples.realsize;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class RealSizeCheckTest {
  private static final String CLIP =
      "%1$s=../xfuser-models/src/test/resources/fixtures/tokenizers/%1$s";
  private static final JsonMapper JSON = new JsonMapper();
  private static final String TOKENIZERS =
      Stream.of("t5=demo-model/tokenizer", CLIP.formatted("clip_l"), CLIP.formatted("clip_g"))
          .map(" --tokenizer "::concat)
          .collect(Collectors.joining());

  /** Parameters of the published files, by diffusers and transformers on their meta device. */
  @ParameterizedTest
  @CsvSource({
    "pixart, text_encoder, 4762310656",
    "pixart, transformer, 610856096",
    "pixart, vae, 83653863",
    "sd3_medium, text_encoder, 123650304",
    "sd3_medium, text_encoder_2, 694659840",
    "sd3_medium, text_encoder_3, 4762310656",
    "sd3_medium, transformer, 2084951104",
    "sd3_medium, vae, 83819683",
    "flux_schnell, text_encoder, 123060480",
    "flux_schnell, text_encoder_2, 4762310656",
    "flux_schnell, transformer, 11891178560",
    "flux_schnell, vae, 83819683",
    "flux_dev, text_encoder, 123060480",
    "flux_dev, text_encoder_2, 4762310656",
    "flux_dev, transformer, 11901408320",
    "flux_dev, vae, 83819683"
  })
  void theTensorsAreAsManyAsThePublishedOnes(String name, String folder, long elements)
      throws IOException {
    RealModel model = RealModel.of(name);
    assertThat(model.parts())
        .filteredOn(part -> part.folder().equals(folder))
        .singleElement()
        .satisfies(
            part ->
                assertThat(model.tensors(part).stream().mapToLong(RandomTensor::elements).sum())
                    .isEqualTo(elements));
  }

  /** As torch rounds them, ties aside. */
  @ParameterizedTest
  @CsvSource({
    "F16, 1, 3C00",
    "F16, -0.1, AE66",
    "F16, 0.00003, 01F7",
    "F16, 0.99999, 3C00",
    "BF16, 1, 3F80",
    "BF16, -0.1, BDCD",
    "BF16, 1e-39, 000B",
    "F8_E4M3, 1, 38",
    "F8_E4M3, -0.1, 9D",
    "F8_E4M3, 0.0155, 08",
    "F8_E4M3, 0.003, 02",
    "F8_E4M3, 390, 7C"
  })
  void numbersAreStoredInTheirType(StoredType type, float value, String bits) {
    assertThat(type.bits(value)).isEqualTo(Integer.parseInt(bits, 16));
  }

  @EnabledOnOs(OS.LINUX) // others do not tell what memory is anonymous
  @ParameterizedTest
  @CsvSource({"sd3_medium, --no_t5", "flux_schnell, ''"})
  void aNarrowModelIsWrittenDrawnAndMeasured(String model, String more, @TempDir Path folder)
      throws IOException {
    measure(model, more, folder);
  }

  @Tag("complete")
  @EnabledOnOs(OS.LINUX)
  @ParameterizedTest
  @ValueSource(strings = {"pixart", "sd3_medium", "flux_dev"})
  void theOtherNarrowModelsAreToo(String model, @TempDir Path folder) throws IOException {
    measure(model, "", folder);
  }

  private static void measure(String model, String more, Path folder) throws IOException {
    String place = " --folder " + folder.resolve("model") + " --model ";
    Path results = folder.resolve("bfloat16.json");
    run(
        "write"
            + place
            + model
            + " --layers 1 --narrow"
            + TOKENIZERS
            + (more.isEmpty() ? "" : " " + more));
    run(
        "measure"
            + place
            + model
            + " --dtype bfloat16 --quantize int8 --side 32 --steps 1 --tokens 20 --results "
            + results);
    Measured run = JSON.readValue(results.toFile(), Measured.class);
    assertThat(run.phases())
        .extracting(MeasuredPhase::name)
        .containsExactly("loading", "text", "steps", "decoding");
    assertThat(run.peakBytes()).isPositive();
    assertThat(Table.lines(List.of(run, run)))
        .anyMatch(line -> line.startsWith("| bfloat16, int8 | text"));
  }

  private static void run(String arguments) {
    assertThat(RealSizeCheck.run(arguments.split(" "))).isZero();
  }
}
