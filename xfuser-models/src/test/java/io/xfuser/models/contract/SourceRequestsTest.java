package io.xfuser.models.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDManager;
import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.config.InputConfigBuilder;
import io.xfuser.config.OutputType;
import io.xfuser.config.Picture;
import io.xfuser.failure.ArgumentException;
import io.xfuser.model.GenerationRequest;
import io.xfuser.model.GivenTensors;
import io.xfuser.pipeline.DiffusionPipeline;
import io.xfuser.pipeline.Generation;
import io.xfuser.pipeline.XDiTParallel;
import io.xfuser.torchscript.Torch;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** What is asked with a picture: what cannot be is refused before anything is computed. */
class SourceRequestsTest {
  private static final Picture FOX = Picture.of(SourceCall.FOLDER.resolve("fox.png"));
  private static final Picture MASK = Picture.of(SourceCall.FOLDER.resolve("mask.png"));
  private static final String SD3 = "sd3_tiny";

  @TempDir Path scratch;

  static Stream<Arguments> impossible() {
    return Stream.of(
        bad("pixart_sigma_tiny", c -> c.image(FOX), "pixart_sigma has no image"),
        bad(
            SD3,
            c -> c.image(FOX).strength(0),
            "strength 0.0 leaves none of 4 num_inference_steps; it must be more than 0"),
        bad(
            SD3,
            c -> c.image(FOX).maskImage(MASK).paddingMaskCrop(3).outputType(OutputType.LATENT),
            "padding_mask_crop puts pictures together, but output_type is latent"),
        bad(
            SD3,
            c -> c.image(FOX).maskImage(Picture.of(file("rgb.png"))).paddingMaskCrop(3),
            "padding_mask_crop needs an image and a mask_image of one size, but they have 75 × 53"
                + " and 19 × 26 pixels (high × wide)"),
        bad(
            "flux_dev_tiny",
            c -> c.image(FOX).size(160_000, 160_000),
            "what is drawn of it has 160000 × 160000 pixels (high × wide), but must have 1 to "),
        bad(
            SD3,
            c -> c.image(Picture.of(Path.of("none.png"))),
            "the picture none.png does not exist"));
  }

  private static Arguments bad(
      String pipeline, UnaryOperator<InputConfigBuilder> input, String message) {
    return Arguments.of(pipeline, input, message);
  }

  private static Path file(String name) {
    return DiffusersCall.FIXTURES.resolve("reference/files").resolve(name);
  }

  @ParameterizedTest
  @MethodSource("impossible")
  void whatCannotBeIsRefused(
      String pipeline, UnaryOperator<InputConfigBuilder> input, String message) {
    assertThatThrownBy(() -> resolve(DiffusersCall.FIXTURES.resolve(pipeline), input))
        .isInstanceOf(ArgumentException.class)
        .hasMessageStartingWith(message);
  }

  @ParameterizedTest
  @CsvSource({
    "sd3_tiny, StableDiffusion3Img2ImgPipeline, image",
    "sd3_tiny, StableDiffusion3InpaintPipeline, image",
    "flux_dev_tiny, FluxImg2ImgPipeline, image",
    "flux_dev_tiny, FluxInpaintPipeline, image"
  })
  void directoriesOfPipelinesThatNeedAPictureSaySo(String pipeline, String name, String needed)
      throws IOException {
    Path copy = DirectoryCopy.of(DiffusersCall.FIXTURES.resolve(pipeline), scratch).directory();
    Path index = copy.resolve("model_index.json");
    Files.writeString(
        index,
        Files.readString(index)
            .replaceAll("\"(Flux|StableDiffusion3)Pipeline\"", '"' + name + '"'));
    assertThatThrownBy(() -> resolve(copy, c -> c)).hasMessage(name + " needs " + needed);
    UnaryOperator<InputConfigBuilder> both = c -> c.image(FOX).maskImage(MASK);
    assertThat(resolve(copy, both).pictures()).isNotNull();
  }

  @Test
  void aSchedulerThatNoisesNoPicturesIsNamed() throws IOException {
    Path copy = DirectoryCopy.of(DiffusersCall.FIXTURES.resolve(SD3), scratch).directory();
    Path index = copy.resolve("model_index.json");
    String euler = "FlowMatchEulerDiscreteScheduler";
    String heun = "FlowMatchHeunDiscreteScheduler";
    Files.writeString(index, Files.readString(index).replace(euler, heun));
    assertThatThrownBy(() -> resolve(copy, c -> c.image(FOX)))
        .hasMessageContaining("pictures to start from need " + euler)
        .hasMessageContaining(heun);
  }

  @Test
  void onlyTheShareOfStepsIsTakenAndTold() throws IOException {
    UnaryOperator<InputConfigBuilder> most = c -> c.image(FOX).strength(0.6);
    GenerationRequest request = resolve(DiffusersCall.FIXTURES.resolve(SD3), most);
    assertThat(request.scheduler().begin()).isEqualTo(1); // int(4 − 2.4)
    assertThat(request.calls()).isEqualTo(3);
    try (XDiTParallel serial =
            XDiTParallel.inProcess(EngineConfig.of(DiffusersCall.FIXTURES.resolve(SD3)));
        Generation generation =
            serial.generate(
                most.apply(
                        small()
                            .set(InputConfig.PROMPT_3, List.of("a hen"))
                            .set(InputConfig.CLIP_SKIP, 1))
                    .build())) {
      byte[] png = Files.readAllBytes(generation.save(scratch).get(0));
      assertThat(new String(png, java.nio.charset.StandardCharsets.ISO_8859_1))
          .contains("\"source_image\":\"fox.png\"")
          .contains("\"first_step\":1")
          .contains("\"strength\":\"0.6\"")
          .contains("\"prompt_3\":\"a hen\"")
          .contains("\"clip_skip\":\"1\"")
          .contains("Denoising strength: 0.6");
    }
  }

  @Test
  void withAMaskChromaHasTheDefaultsOfItsOtherPipeline() throws IOException {
    Path chroma = DiffusersCall.FIXTURES.resolve("chroma_tiny");
    UnaryOperator<InputConfigBuilder> begun = c -> InputConfig.builder("a fox").image(FOX);
    GenerationRequest plain = resolve(chroma, begun);
    GenerationRequest anew = resolve(chroma, c -> begun.apply(c).maskImage(MASK));
    assertThat(
            Stream.of(plain, anew)
                .map(
                    request ->
                        List.<Object>of(
                            request.scheduler().steps(),
                            request.guidance().scale(),
                            request.text().maxSequenceLength())))
        .containsExactly(List.of(35, 5.0, 512), List.of(28, 7.0, 256));
  }

  @Test
  void zImageTakesNoLatentsBesideAMask() throws IOException {
    Path zimage = DiffusersCall.FIXTURES.resolve("zimage_tiny");
    GenerationRequest begun = resolve(zimage, c -> c.image(FOX));
    GenerationRequest anew = resolve(zimage, c -> c.image(FOX).maskImage(MASK));
    try (NDManager manager = Torch.newManager()) {
      GivenTensors given =
          new GivenTensors(manager.zeros(anew.latents().shape(anew.images())), Map.of());
      given.check(begun);
      assertThatThrownBy(() -> given.check(anew))
          .isInstanceOf(ArgumentException.class)
          .hasMessageStartingWith("no latents can be given beside mask_image here");
    }
  }

  private static GenerationRequest resolve(
      Path directory, UnaryOperator<InputConfigBuilder> input) {
    try (DiffusionPipeline pipeline =
        DiffusionPipeline.fromPretrained(EngineConfig.of(directory).model())) {
      return pipeline.model().resolve(input.apply(small()).build());
    }
  }

  private static InputConfigBuilder small() {
    return InputConfig.builder("a fox").size(32, 48).numInferenceSteps(4);
  }
}
