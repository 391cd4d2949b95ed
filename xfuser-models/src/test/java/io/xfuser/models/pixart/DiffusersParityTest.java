package io.xfuser.models.pixart;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.config.InputConfigBuilder;
import io.xfuser.config.OutputType;
import io.xfuser.pipeline.Generation;
import io.xfuser.pipeline.XDiTParallel;
import io.xfuser.testing.Pixels;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Torch;
import io.xfuser.weights.SafeTensors;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Law 1: serial equals diffusers on the same directory with the same seed. */
class DiffusersParityTest {
  private static final Path FIXTURES = Path.of("src/test/resources/fixtures");

  static Stream<Case> cases() throws IOException {
    List<Case> cases = new ArrayList<>();
    for (String pipeline : List.of("pixart_alpha_tiny", "pixart_sigma_tiny")) {
      Path folder = FIXTURES.resolve("reference").resolve(pipeline);
      for (JsonNode one :
          new ObjectMapper().readTree(folder.resolve("cases.json").toFile()).get("cases")) {
        cases.add(new Case(pipeline, one.get("name").asText(), one));
      }
    }
    return cases.stream();
  }

  @ParameterizedTest
  @MethodSource("cases")
  void serialEqualsDiffusers(Case test) {
    ElementType type = test.type();
    EngineConfig engine = EngineConfig.of(FIXTURES.resolve(test.pipeline())).withDtype(type);
    try (XDiTParallel serial = XDiTParallel.inProcess(engine.model().model(), engine);
        Generation generation = serial.generate(test.input());
        NDManager manager = Torch.newManager();
        SafeTensors reference = SafeTensors.openFile(test.file(), null)) {
      NDArray ours = Torch.cast(manager, generation.tensor(), ElementType.FLOAT32);
      NDArray theirs = reference(manager, reference, "pixels");
      if (type == ElementType.FLOAT32) {
        assertThat(Pixels.largestDifference(ours, theirs)).isLessThanOrEqualTo(1e-3);
      } else {
        NDArray exact = reference(manager, reference, "pixels_float32");
        assertThat(Pixels.psnr(ours, theirs))
            .isGreaterThanOrEqualTo(Pixels.psnr(theirs, exact) - 1);
      }
    }
  }

  private static NDArray reference(NDManager manager, SafeTensors file, String name) {
    return Torch.cast(manager, file.get(manager, name, file.shape(name)), ElementType.FLOAT32);
  }

  /** One call of diffusers, as {@code cases.json} has it. */
  record Case(String pipeline, String name, JsonNode json) {
    ElementType type() {
      return ElementType.valueOf(json.get("dtype").asText().toUpperCase(Locale.ROOT));
    }

    Path file() {
      return FIXTURES.resolve("reference").resolve(pipeline).resolve(json.get("file").asText());
    }

    InputConfig input() {
      JsonNode call = json.get("call");
      List<String> prompts = new ArrayList<>();
      call.get("prompt").forEach(prompt -> prompts.add(prompt.asText()));
      InputConfigBuilder builder = InputConfig.builder(prompts.toArray(String[]::new));
      builder
          .height(call.get("height").asInt())
          .width(call.get("width").asInt())
          .numInferenceSteps(call.get("num_inference_steps").asInt())
          .guidanceScale(call.get("guidance_scale").asDouble())
          .useResolutionBinning(call.get("use_resolution_binning").asBoolean())
          .numImagesPerPrompt(call.path("num_images_per_prompt").asInt(1))
          .outputType(OutputType.PT);
      if (call.has("max_sequence_length")) {
        builder.maxSequenceLength(call.get("max_sequence_length").asInt());
      }
      if (call.has("negative_prompt")) {
        builder.negativePrompts(List.of(call.get("negative_prompt").asText()));
      }
      return builder.build();
    }

    @Override
    public String toString() {
      return pipeline + " " + name;
    }
  }
}
