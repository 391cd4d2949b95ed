package io.xfuser.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.config.ModelConfig;
import io.xfuser.config.OutputType;
import io.xfuser.config.ParallelConfig;
import io.xfuser.failure.ArgumentException;
import io.xfuser.internal.plan.MemoryNeed;
import io.xfuser.internal.plan.RequestPlan;
import io.xfuser.model.GenerationRequest;
import io.xfuser.model.VaeDecoder;
import io.xfuser.report.RankReport;
import io.xfuser.torchscript.AttentionKernel;
import io.xfuser.torchscript.ElementType;
import io.xfuser.transformer.TransformerSpec;
import io.xfuser.transformer.TransformerSpec.Modulations;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalLong;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** What is estimated is never more than what is held, and grows with what is asked for. */
class MemoryNeedTest {
  private static final Path MODEL = Path.of("src/test/resources/fixtures/pixart_sigma_tiny");

  /** 24 × 24 = 576 tokens of width 48. */
  private static final InputConfig FOX =
      InputConfig.builder("a red fox")
          .size(384, 384)
          .useResolutionBinning(false)
          .numInferenceSteps(1)
          .outputType(OutputType.LATENT)
          .build();

  private static DiffusionPipeline pipeline;

  @BeforeAll
  static void open() {
    pipeline = DiffusionPipeline.fromPretrained(ModelConfig.builder(MODEL).build());
  }

  @AfterAll
  static void close() {
    pipeline.close();
  }

  static MemoryNeed denoising(EngineConfig engine, InputConfig input) {
    return denoising(pipeline, engine, input);
  }

  static MemoryNeed denoising(DiffusionPipeline other, EngineConfig engine, InputConfig input) {
    RequestPlan plan = RequestPlan.of(engine, other.spec(), other.model().resolve(input));
    List<Integer> all = IntStream.range(0, engine.parallel().worldSize()).boxed().toList();
    return MemoryNeed.onDevice(plan, other.spec(), other.model().decoderSize(), all, false).get(0);
  }

  private static EngineConfig engine(ParallelConfig degrees) {
    return EngineConfig.builder(MODEL).parallel(degrees).build();
  }

  static Stream<Arguments> runs() {
    ParallelConfig one = ParallelConfig.serial();
    return Stream.of(
        Arguments.of(one, FOX),
        Arguments.of(one, FOX.toBuilder().guidanceScale(1).build()),
        Arguments.of(one, FOX.toBuilder().numImagesPerPrompt(2).build()),
        Arguments.of(one.toBuilder().ulyssesDegree(2).build(), FOX),
        Arguments.of(one.toBuilder().ringDegree(2).build(), FOX),
        Arguments.of(one.toBuilder().tensorDegree(2).build(), FOX),
        Arguments.of(one.toBuilder().pipefusionDegree(2).build(), FOX),
        Arguments.of(one.toBuilder().cfgDegree(2).build(), FOX),
        Arguments.of(
            one.toBuilder().dataDegree(2).build(), FOX.toBuilder().numImagesPerPrompt(2).build()));
  }

  @ParameterizedTest
  @MethodSource("runs")
  void asMuchAsIsEstimatedIsHeldInAStep(ParallelConfig degrees, InputConfig input) {
    double estimated = denoising(engine(degrees), input).bytes();
    try (XDiTParallel ranks = XDiTParallel.inProcess(pipeline, engine(degrees));
        Generation generation = ranks.generate(input)) {
      double held =
          generation.report().ranks().stream().mapToDouble(RankReport::peakTensorBytes).sum();
      assertThat(estimated).isBetween(held / 6, held);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "chroma_tiny, modulations commonModulations",
    "flux2_tiny, commonModulations",
    "sd3_tiny, modulations",
    "wan_tiny, modulations"
  })
  void modulationsCountAndAsMuchAsIsHeldAtMost(String model, String kept) {
    Path directory = MODEL.resolveSibling(model);
    InputConfig small = FOX.toBuilder().size(64, 64).numInferenceSteps(6).build();
    EngineConfig engine = EngineConfig.builder(directory).build();
    try (DiffusionPipeline other =
            DiffusionPipeline.fromPretrained(ModelConfig.builder(directory).build());
        XDiTParallel ranks = XDiTParallel.inProcess(other, engine);
        Generation generation = ranks.generate(small)) {
      RequestPlan plan = RequestPlan.of(engine, other.spec(), other.model().resolve(small));
      double estimated = denoising(plan, other, other.spec());
      assertThat(estimated)
          .isLessThan((double) generation.report().ranks().get(0).peakTensorBytes());
      for (String function : kept.split(" ", -1)) {
        TransformerSpec<?> without = without(function, other.spec());
        assertThat(denoising(plan, other, without)).as(function).isLessThan(estimated);
      }
    }
  }

  private static double denoising(
      RequestPlan plan, DiffusionPipeline pipeline, TransformerSpec<?> spec) {
    VaeDecoder.Footprint decoder = pipeline.model().decoderSize();
    return MemoryNeed.onDevice(plan, spec, decoder, List.of(0), false).get(0).bytes();
  }

  /** {@code spec}, whose {@code function} says that there are none. */
  private static TransformerSpec<?> without(String function, TransformerSpec<?> spec) {
    return (TransformerSpec<?>)
        Proxy.newProxyInstance(
            TransformerSpec.class.getClassLoader(),
            new Class<?>[] {TransformerSpec.class},
            (proxy, method, arguments) ->
                method.getName().equals(function)
                    ? Modulations.NONE
                    : method.invoke(spec, arguments));
  }

  @Test
  void twiceThePicturesNeedTwiceAsMuchAndSoDoTwiceTheTokens() {
    EngineConfig engine = engine(ParallelConfig.serial());
    double kept = modulations(1);
    double once = denoising(engine, FOX).bytes() - kept;
    assertThat(denoising(engine, FOX.toBuilder().numImagesPerPrompt(2).build()).bytes())
        .isEqualTo(2 * once + kept);
    assertThat(denoising(engine, FOX.toBuilder().size(384, 768).build()).bytes())
        .isEqualTo(2 * once + kept);
  }

  /** Six in each block, in fp32, of up to 16 steps at once. */
  private static double modulations(int steps) {
    double width = (double) pipeline.spec().heads() * pipeline.spec().headSize();
    return 6 * width * pipeline.spec().depth() * steps * Float.BYTES;
  }

  @Test
  void blocksKeepTheModulationsOfTheStepsThatTheyComputeAtOnce() {
    EngineConfig engine = engine(ParallelConfig.serial());
    double one = denoising(engine, FOX).bytes();
    for (int steps : new int[] {2, 16, 40}) {
      assertThat(denoising(engine, FOX.toBuilder().numInferenceSteps(steps).build()).bytes() - one)
          .isEqualTo(modulations(Math.min(steps, 16)) - modulations(1));
    }
  }

  /** Whole blocks keep two biases with them there (docs/adr 0077). */
  @ParameterizedTest
  @CsvSource({"FLOAT32, 1, 2", "BFLOAT16, 1, 2", "FLOAT16, 1, 0", "FLOAT32, 2, 0"})
  void onAGpuBlocksKeepMoreWhereTheyMoveABias(ElementType type, int tensor, int more) {
    EngineConfig engine =
        engine(ParallelConfig.builder().tensorDegree(tensor).build()).toBuilder()
            .runtime(r -> r.dtype(type))
            .build();
    RequestPlan plan = RequestPlan.of(engine, pipeline.spec(), pipeline.model().resolve(FOX));
    VaeDecoder.Footprint decoder = pipeline.model().decoderSize();
    double[] bytes =
        Stream.of(false, true)
            .map(gpu -> MemoryNeed.onDevice(plan, pipeline.spec(), decoder, List.of(0), gpu))
            .mapToDouble(needs -> needs.get(0).bytes())
            .toArray();
    double kept = modulations(1) / Float.BYTES * type.bytes();
    assertThat(bytes[1] - bytes[0]).isEqualTo(kept * more / 6);
  }

  @Test
  void aKernelThatHasAllProductsOfQueriesAndKeysNeedsThem() {
    EngineConfig engine = engine(ParallelConfig.serial());
    EngineConfig math =
        engine.toBuilder().runtime(r -> r.attentionBackend(AttentionKernel.SDPA_MATH)).build();
    double products = 2.0 * 576 * 576 * pipeline.spec().heads() * Float.BYTES; // both prompts
    assertThat(denoising(math, FOX).bytes()).isEqualTo(denoising(engine, FOX).bytes() + products);
  }

  @Test
  void thePhaseThatNeedsMostIsTheOneThatCounts() {
    MemoryNeed denoising = new MemoryNeed("denoising", 3e9, "ranks");
    MemoryNeed decoding = new MemoryNeed("decoding", 4e9, "tiling");
    MemoryNeed noise = new MemoryNeed("the noise", 1e9, "size");
    assertThat(MemoryNeed.largest(List.of(denoising, decoding, noise))).isEqualTo(decoding);
  }

  /** Wan's decoder hands over the frames of one frame of latents at a time. */
  @Test
  void framesOfAVideoThatLeaveAsTheyComeAreNotCountedTogether() {
    Path model = Path.of("src/test/resources/fixtures/wan_tiny");
    EngineConfig engine = EngineConfig.builder(model).build();
    try (DiffusionPipeline videos = DiffusionPipeline.fromPretrained(engine)) {
      double[][] needs = new double[2][];
      for (int i = 0; i < 2; i++) {
        InputConfig input =
            InputConfig.builder("a fox")
                .size(32, 48)
                .numFrames(i == 0 ? 5 : 801)
                .outputType(i == 0 ? OutputType.PIL : OutputType.PT)
                .build();
        RequestPlan plan = RequestPlan.of(engine, videos.spec(), videos.model().resolve(input));
        needs[i] =
            new double[] {
              MemoryNeed.onDevice(
                      plan, videos.spec(), videos.model().decoderSize(), List.of(0), false)
                  .get(1)
                  .bytes(),
              MemoryNeed.pixels(plan, List.of(0)).bytes()
            };
      }
      assertThat(needs[1][0]).isEqualTo(needs[0][0]);
      assertThat(needs[0][1]).isZero();
      assertThat(needs[1][1]).isEqualTo(801.0 * 3 * 32 * 48 * Float.BYTES); // all in one tensor
    }
  }

  @Test
  void whatDoesNotFitIsRefusedWithBothNumbersAndWhatIsUnknownIsNot() {
    MemoryNeed need = new MemoryNeed("decoding", 2e9, "tiling");
    GenerationRequest request = pipeline.model().resolve(FOX);
    need.require(request, "memory", OptionalLong.of(2_000_000_000));
    need.require(request, "memory", OptionalLong.empty());
    assertThatThrownBy(() -> need.require(request, "memory", OptionalLong.of(1_999_999_999)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "384 × 384 pixels (height × width) need at least 2.0 GB of memory for decoding, but"
                + " there are 2.0 GB; less is needed by tiling");
  }

  @Test
  void textThatCannotBeEncodedIsRefusedByItsLength() {
    try (XDiTParallel ranks = XDiTParallel.inProcess(pipeline, engine(ParallelConfig.serial()))) {
      ranks.check(FOX.toBuilder().maxSequenceLength(1_000).build());
      assertThatThrownBy(
              () -> ranks.check(FOX.toBuilder().maxSequenceLength(Integer.MAX_VALUE).build()))
          .isInstanceOf(ArgumentException.class)
          .hasMessageStartingWith("2147483647 tokens of text (max_sequence_length) need at least ")
          .hasMessageEndingWith("less is needed by a smaller max_sequence_length");
    }
  }

  @Test
  void whatMakesARequestLargeIsNamedByItsSettings() {
    InputConfig many = FOX.toBuilder().prompts("a", "b").numImagesPerPrompt(3).build();
    GenerationRequest request = pipeline.model().resolve(many);
    MemoryNeed need = new MemoryNeed("decoding", 2e9, "tiling");
    assertThatThrownBy(() -> need.require(request, "memory", OptionalLong.of(1)))
        .hasMessageStartingWith(
            "6 pictures (num_images_per_prompt 3) of 384 × 384 pixels (height × width) need at");
  }

  @Test
  void memoryThatRunsOutWhileTextIsEncodedNamesTheTextsLength() {
    InputConfig input = FOX.toBuilder().maxSequenceLength(123).build();
    EngineConfig one = engine(ParallelConfig.serial());
    RequestPlan plan = RequestPlan.of(one, pipeline.spec(), pipeline.model().resolve(input));
    OutOfMemoryError full = new OutOfMemoryError("full");
    assertThat(MemoryCheck.explained(full, MemoryNeed.TEXT, plan))
        .hasMessageStartingWith("out of memory while encoding the prompt")
        .hasMessageEndingWith(
            "; less is needed by a smaller max_sequence_length, which is 123, fewer prompts, dtype"
                + " bfloat16, offload layerwise or quantize_text_encoder int8");
    RequestPlan usual = RequestPlan.of(one, pipeline.spec(), pipeline.model().resolve(FOX));
    assertThat(MemoryCheck.explained(full, MemoryNeed.TEXT, usual))
        .hasMessageContaining("; less is needed by fewer prompts, dtype bfloat16, offload");
    assertThat(MemoryCheck.explained(full, "decoding", plan))
        .hasMessageContaining("less is needed by a smaller picture")
        .hasMessageEndingWith("dtype bfloat16, or enable_tiling and enable_slicing");
  }
}
