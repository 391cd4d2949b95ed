package io.xfuser.models.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.config.InputConfigBuilder;
import io.xfuser.config.OutputType;
import io.xfuser.config.ParallelConfig;
import io.xfuser.config.Picture;
import io.xfuser.failure.ArgumentException;
import io.xfuser.failure.ModelException;
import io.xfuser.model.GenerationRequest;
import io.xfuser.models.internal.weights.FileWeights;
import io.xfuser.pipeline.Generation;
import io.xfuser.pipeline.XDiTParallel;
import io.xfuser.testing.Pixels;
import io.xfuser.torchscript.Torch;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Qwen-Image-Edit reads and sees pictures as diffusers' pipelines do. */
class QwenImageEditTest {
  private static final Path FOLDER = DiffusersCall.FIXTURES.resolve("reference/qwenimage_edit");
  private static final String PLUS = "QwenImageEditPlusPipeline";
  private static final String ONE = "QwenImageEditPipeline";
  private static final double ONE_OF_8_BITS = 1.001 / 255;

  private static final NDManager KEPT = Torch.newManager();
  private static final Map<String, NDArray> DRAWN = new HashMap<>(); // by calls and models

  @TempDir static Path scratch;

  @AfterAll
  static void forget() {
    KEPT.close();
  }

  /** With the profile {@code complete} what else is painted too, and two pictures with guidance. */
  static Stream<DiffusersCall> fewCalls() throws IOException {
    List<String> more = List.of("two_guided", "painted_several", "painted_part");
    return calls().filter(call -> CoveringArray.ALL || !more.contains(name(call)));
  }

  private static DiffusersCall named(String name) throws IOException {
    return calls().filter(call -> name(call).equals(name)).findFirst().orElseThrow();
  }

  private static String name(DiffusersCall call) {
    return call.json().get("name").asText();
  }

  static Stream<DiffusersCall> calls() throws IOException {
    JsonNode file = new ObjectMapper().readTree(FOLDER.resolve("cases.json").toFile());
    long seed = file.get("seed").asLong();
    return file.get("cases")
        .valueStream()
        .map(one -> new DiffusersCall(one.get("pipeline").asText(), seed, one));
  }

  private static Path directory(String pipeline, boolean still) throws IOException {
    Path directory = scratch.resolve(pipeline + still);
    if (!Files.exists(directory)) {
      Requests.qwenImageEdit(directory, pipeline)
          .rewrite("transformer/config.json", "{\n", "{\n  \"zero_cond_t\": " + still + ",\n");
    }
    return directory;
  }

  /** The one of a single picture as Transformers 5 writes it. */
  private static Path directory(DiffusersCall call) throws IOException {
    return call.pipeline().equals(ONE)
        ? asTransformersFive()
        : directory(call.pipeline(), call.json().get("still").asBoolean());
  }

  private static Path asTransformersFive() throws IOException {
    DirectoryCopy copy = Requests.qwenImageEdit(scratch.resolve("five"), ONE);
    Path old = copy.directory().resolve("processor/preprocessor_config.json");
    Files.writeString(
        old.resolveSibling("processor_config.json"),
        "{\"image_processor\": %s, \"processor_class\": \"Qwen2_5_VLProcessor\"}"
            .formatted(Files.readString(old)));
    Files.delete(old);
    copy.rewrite("text_encoder/config.json", "\"rope_scaling\"", "\"rope_parameters\"");
    return copy.directory();
  }

  /** Processor and positions may be described as one or another Transformers writes them. */
  @ParameterizedTest
  @MethodSource("fewCalls")
  void everyPictureEqualsThatOfDiffusers(DiffusersCall call) throws IOException {
    try (NDManager manager = Torch.newManager();
        FileWeights pixels = FileWeights.openFile(FOLDER.resolve("pixels.safetensors"), null)) {
      NDArray found = onOneRank(directory(call), call);
      NDArray expected = pixels.get(manager, name(call), pixels.shape(name(call)));
      assertThat(found.getShape().getShape()).isEqualTo(call.shape());
      assertThat(Pixels.largestDifference(call.strided(found), expected))
          .isLessThanOrEqualTo(cropped(call) ? ONE_OF_8_BITS : 1e-3);
    }
  }

  private static NDArray onOneRank(Path directory, DiffusersCall call) {
    String name = name(call) + directory;
    if (!DRAWN.containsKey(name)) {
      DRAWN.put(name, drawn(KEPT, EngineConfig.of(directory), input(call)));
    }
    return Objects.requireNonNull(DRAWN.get(name));
  }

  private static boolean cropped(DiffusersCall call) {
    return call.json().get("call").has("padding_mask_crop");
  }

  private static InputConfig input(DiffusersCall call) {
    List<Picture> images = new ArrayList<>();
    call.json().get("images").forEach(one -> images.add(image(one.asText())));
    InputConfigBuilder builder = InputConfig.builder().seed(call.seed()).images(images);
    if (call.json().hasNonNull("mask")) {
      builder.maskImage(image(call.json().get("mask").asText()));
    }
    OutputType type = cropped(call) ? OutputType.PIL : OutputType.PT;
    return call.fill(builder).outputType(type).build();
  }

  private static Picture image(String name) {
    return Picture.of(FOLDER.resolve(name));
  }

  private static NDArray drawn(NDManager manager, EngineConfig engine, InputConfig input) {
    try (XDiTParallel pipeline = XDiTParallel.inProcess(engine);
        Generation generation = pipeline.generate(input)) {
      return input.outputType() == OutputType.PIL
          ? Pixels.first(manager, generation.images())
          : Torch.alias(manager, generation.tensor());
    }
  }

  /** With the profile {@code complete} by every strategy, and on ranks of pictures. */
  static Stream<Layout> layoutsOfMasks() {
    ParallelConfig stages =
        ParallelConfig.builder().pipefusionDegree(2).numPipelinePatch(3).build();
    Layout apart = new Layout(stages.toBuilder().dataDegree(2).build(), 1);
    return Stream.concat(
        Stream.of(new Layout(stages, 1)),
        CoveringArray.ALL ? Stream.concat(Stream.of(apart), layouts()) : Stream.of());
  }

  /** The picture is what samples begin with and what they refer to. */
  @ParameterizedTest
  @MethodSource("layoutsOfMasks")
  void whatAMaskCoversIsDrawnAnewByRanksAsByOne(Layout layout) throws IOException {
    InputConfig input =
        InputConfig.builder("a red fox")
            .image(image("hills.png"))
            .maskImage(image("spot.png"))
            .size(96, 160)
            .numInferenceSteps(2)
            .numImagesPerPrompt(layout.degrees().dataDegree())
            .outputType(OutputType.LATENT)
            .build();
    try (NDManager manager = Torch.newManager()) {
      Path one = directory(ONE, true);
      NDArray expected = drawn(manager, engine(one, layout.onOneRank(), false), input);
      NDArray found = drawn(manager, engine(one, layout, true), input);
      assertThat(Pixels.largestDifference(found, expected)).isLessThanOrEqualTo(1e-4);
    }
  }

  static Stream<Layout> layouts() {
    ParallelConfig serial = ParallelConfig.serial();
    List<Layout> all =
        List.of(
            new Layout(serial.toBuilder().ulyssesDegree(2).cfgDegree(2).build(), 1),
            new Layout(serial.toBuilder().distrifusionDegree(2).ulyssesDegree(2).build(), 1),
            new Layout(serial.toBuilder().pipefusionDegree(2).numPipelinePatch(3).build(), 1));
    return CoveringArray.part(all, 0, 3).stream();
  }

  /** All in shares; with the profile {@code complete} also two pictures by branches apart. */
  @ParameterizedTest
  @MethodSource("layouts")
  void everyStrategyEqualsItsTokensOnOneRank(Layout layout) throws IOException {
    boolean two = CoveringArray.ALL && layout.degrees().cfgDegree() > 1;
    Path directory = directory(PLUS, true);
    for (String name : two ? List.of("still", "two_guided") : List.of("still")) {
      DiffusersCall call = named(name);
      try (NDManager manager = Torch.newManager()) {
        NDArray expected =
            layout.onOneRank().equals(Layout.SERIAL)
                ? onOneRank(directory, call)
                : drawn(manager, engine(directory, layout.onOneRank(), false), input(call));
        NDArray found = drawn(manager, engine(directory, layout, true), input(call));
        assertThat(Pixels.largestDifference(found, expected)).isLessThanOrEqualTo(1e-4);
      }
    }
  }

  private static EngineConfig engine(Path directory, Layout layout, boolean shared) {
    return EngineConfig.builder(directory)
        .parallel(layout.degrees())
        .runtime(
            r ->
                r.warmupSteps(layout.warmupSteps()).useParallelVae(shared).shardTextEncoder(shared))
        .build();
  }

  @Test
  void whatIsReadAndSeenHasTheSizesOfDiffusers() throws IOException {
    InputConfig input =
        InputConfig.builder("a fox").images(List.of(blank(300, 200), blank(100, 400))).build();
    GenerationRequest request = Requests.resolve(directory(PLUS, false), input);
    assertThat(List.of(request.size().height(), request.size().width())).containsExactly(2048, 512);
    assertThat(
            request.seen().stream()
                .map(one -> List.of(one.image().height(), one.image().width()))
                .toList())
        .containsExactly(List.of(832, 1248), List.of(2048, 512));
    assertThat(
            request.seen().stream()
                .map(one -> Objects.requireNonNull(one.read()))
                .map(read -> List.of(read.height(), read.width()))
                .toList())
        .containsExactly(List.of(320, 480), List.of(768, 192));
  }

  @Test
  void requestsThatCannotBeAreRefusedInASentence() throws IOException {
    Path plus = directory(PLUS, false);
    Path one = directory(ONE, false);
    InputConfig fox = InputConfig.builder("a fox").build();
    List<Picture> two = List.of(blank(30, 40), blank(30, 40));
    refused(plus, fox, PLUS + " needs image");
    refused(
        one,
        fox.toBuilder().images(two).build(),
        "qwenimage_edit takes one image, but 2 are given");
    refused(
        Requests.directory("qwenimage_tiny"),
        fox.toBuilder().images(two).build(),
        "qwenimage takes one image, but 2 are given");
    refused(
        plus,
        fox.toBuilder().images(List.of(blank(3, 3000))).build(),
        "image has 3000 × 3 pixels (high × wide), which is too narrow");
    InputConfig small = fox.toBuilder().image(blank(30, 40)).build();
    refused(
        one,
        small.toBuilder().strength(0.5).build(),
        "qwenimage_edit has no strength without mask_image: it draws from noise");
    refused(
        plus,
        small.toBuilder().maskImage(blank(30, 40)).build(),
        "qwenimage_edit_plus has no mask_image");
    String paint = "QwenImageEditInpaintPipeline";
    refused(directory(paint, false), small, paint + " needs mask_image");
    String sentence = "a prompt with pictures must not contain <|image_pad|>";
    InputConfigBuilder pad = InputConfig.builder("a <|image_pad|>").images(two);
    refused(plus, pad.build(), sentence);
    refused(plus, pad.prompts("a").negativePrompts("<|image_pad|>").build(), sentence);
  }

  @Test
  void aModelWhosePictureSideIsWrongIsNotOpened(@TempDir Path other) throws IOException {
    DirectoryCopy copy = DirectoryCopy.of(directory(PLUS, false), other.resolve("model"));
    copy.rewrite("text_encoder/config.json", "\"out_hidden_size\": 48", "\"out_hidden_size\": 40");
    assertThatThrownBy(() -> Requests.resolve(copy.directory(), InputConfig.builder("x").build()))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("merger.mlp.2.weight");
  }

  private static void refused(Path directory, InputConfig input, String sentence) {
    assertThatThrownBy(() -> Requests.resolve(directory, input))
        .isInstanceOf(ArgumentException.class)
        .hasMessage(sentence);
  }

  private static Picture blank(int width, int height) {
    return Picture.of(new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB));
  }
}
