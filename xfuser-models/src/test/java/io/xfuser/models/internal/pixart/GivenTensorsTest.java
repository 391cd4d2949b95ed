package io.xfuser.models.internal.pixart;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.config.ModelConfig;
import io.xfuser.config.OutputType;
import io.xfuser.config.ParallelConfig;
import io.xfuser.model.GivenTensors;
import io.xfuser.model.TextEncoder;
import io.xfuser.model.TextRequest;
import io.xfuser.models.internal.text.Captions;
import io.xfuser.pipeline.DiffusionPipeline;
import io.xfuser.pipeline.Generation;
import io.xfuser.pipeline.XDiTParallel;
import io.xfuser.progress.ProgressListener;
import io.xfuser.testing.Pixels;
import io.xfuser.torchscript.Program;
import io.xfuser.torchscript.Torch;
import io.xfuser.weights.Placement;
import io.xfuser.weights.Share;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Noise and text that a caller brings along. */
class GivenTensorsTest {
  private static final Path MODEL = Path.of("src/test/resources/fixtures/pixart_sigma_tiny");
  private static final String TEXT = Captions.EMBEDS;
  private static final String MASK = Captions.MASK;

  private static final InputConfig TWO =
      InputConfig.builder("a red fox", "two blue boats")
          .height(96)
          .width(96)
          .useResolutionBinning(false)
          .numInferenceSteps(2)
          .outputType(OutputType.PT)
          .build();

  private final NDManager manager = Torch.newManager();
  private DiffusionPipeline pipeline;
  private XDiTParallel ranks;

  @BeforeEach
  void open() {
    pipeline = DiffusionPipeline.fromPretrained(ModelConfig.builder(MODEL).build());
    ParallelConfig degrees = ParallelConfig.builder().dataDegree(2).cfgDegree(2).build();
    ranks = XDiTParallel.inProcess(pipeline, EngineConfig.builder(MODEL).parallel(degrees).build());
  }

  @AfterEach
  void close() {
    ranks.close();
    pipeline.close();
    manager.close();
  }

  private float[] pixels(InputConfig input, GivenTensors given) {
    try (Generation generation = ranks.generate(input, given, ProgressListener.NONE)) {
      return Pixels.floats(generation.tensor());
    }
  }

  private Map<String, NDArray> encoded(String... prompts) {
    try (TextEncoder encoder = pipeline.model().textEncoder(Placement.CPU, Share.WHOLE)) {
      return encoder.encode(
          manager, TextRequest.of(List.of(prompts), new TextEncoder.TextOptions(300, true)));
    }
  }

  private Map<String, NDArray> bothPrompts() {
    Map<String, NDArray> text = new HashMap<>(encoded("a red fox", "two blue boats"));
    encoded("", "").forEach((name, tensor) -> text.put("negative_" + name, tensor));
    return text;
  }

  @Test
  void theSeedsNoiseGivenAsLatentsMakesTheSeedsPictures() {
    NDArray noise = // (2, 4, 12, 12)
        Program.load(GivenTensorsTest.class, "given_tensors_test.py")
            .call(manager, "noise", new long[] {2, 4, 12, 12}, 42L);
    float[] own = pixels(TWO, GivenTensors.NONE);
    assertThat(pixels(TWO.toBuilder().seed(7).build(), GivenTensors.NONE)).isNotEqualTo(own);
    assertThat(pixels(TWO.toBuilder().seed(7).build(), new GivenTensors(noise, Map.of())))
        .isEqualTo(own);
    assertThat(noise.isReleased()).as("the tensors stay the caller's").isFalse();
  }

  @Test
  void theEncodersTensorsGivenAsTextMakeThePromptsPictures() {
    float[] own = pixels(TWO, GivenTensors.NONE);
    GivenTensors text = new GivenTensors(null, bothPrompts());
    assertThat(pixels(TWO.toBuilder().prompts("other", "words").build(), text)).isEqualTo(own);
    assertThat(pixels(TWO.toBuilder().prompts().build(), text))
        .as("no prompts at all")
        .isEqualTo(own);
  }

  @Test
  void tensorsThatDoNotFitTheRequestAreRefusedWithBothShapes() {
    NDArray small = manager.zeros(new Shape(1, 4, 12, 12));
    refused(
        new GivenTensors(small, Map.of()),
        "the latents given have the shape (1, 4, 12, 12), but must have (2, 4, 12, 12)");
    refused(new GivenTensors(null, encoded("a", "b", "c")), "has 3 rows for 2 pictures");
    refused(new GivenTensors(null, encoded("a", "b")), "guidance needs negative_prompt_");
    Map<String, NDArray> maskless = bothPrompts();
    maskless.remove(MASK);
    maskless.remove("negative_" + MASK);
    refused(
        new GivenTensors(null, maskless),
        "the transformer needs the text tensor " + MASK + ", given are [" + TEXT + "]");
    assertThat(pixels(TWO, GivenTensors.NONE)).hasSize(2 * 3 * 96 * 96);
  }

  private void refused(GivenTensors given, String sentence) {
    assertThatThrownBy(() -> ranks.generate(TWO, given, ProgressListener.NONE))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(sentence);
  }
}
