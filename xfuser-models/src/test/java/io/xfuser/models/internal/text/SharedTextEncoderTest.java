package io.xfuser.models.internal.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.config.ModelConfig;
import io.xfuser.config.OutputType;
import io.xfuser.config.ParallelConfig;
import io.xfuser.model.GivenTensors;
import io.xfuser.model.TextEncoder;
import io.xfuser.model.TextRequest;
import io.xfuser.models.contract.CoveringArray;
import io.xfuser.models.contract.Requests;
import io.xfuser.pipeline.DiffusionPipeline;
import io.xfuser.pipeline.Generation;
import io.xfuser.pipeline.XDiTParallel;
import io.xfuser.progress.ProgressListener;
import io.xfuser.report.RankReport;
import io.xfuser.testing.Pixels;
import io.xfuser.torchscript.Torch;
import io.xfuser.weights.ComponentConfig;
import io.xfuser.weights.Placement;
import io.xfuser.weights.Share;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code --shard_text_encoder}, from the prompt to latents, and to pixels in [0, 1]. */
class SharedTextEncoderTest {
  private static final int STEPS = 1;
  private static final ParallelConfig SERIAL = ParallelConfig.serial();

  /** Of several ranks each. */
  private static final List<ParallelConfig> SHARED =
      Requests.HYBRIDS.stream().filter(degrees -> degrees.worldSize() > 1).toList();

  private final NDManager manager = Torch.newManager();

  @AfterEach
  void close() {
    manager.close();
  }

  @ParameterizedTest
  @CsvSource({
    "pixart_sigma_tiny, text_encoder, 4",
    "latte_tiny, text_encoder, 3",
    "hunyuandit_tiny, text_encoder_2, 0",
    "flux_dev_tiny, text_encoder_2, 2",
    "sd3_tiny, text_encoder_3, 0",
    "wan_tiny, text_encoder, 1"
  })
  void allRanksOfAPictureEncodeWhatOneEncodesAndHoldAShareEach(
      String model, String t5, int layout) {
    EngineConfig engine = engine(model, false);
    InputConfig input =
        Requests.two(model).toBuilder()
            .numInferenceSteps(STEPS)
            .outputType(OutputType.LATENT)
            .build();
    try (DiffusionPipeline pipeline = DiffusionPipeline.fromPretrained(engine.model());
        TextEncoder whole = pipeline.model().textEncoder(Placement.CPU, Share.WHOLE)) {
      NDArray serial = generate(pipeline, engine, input).pixels();
      long everywhere = normBytes(model, t5);
      for (ParallelConfig degrees : CoveringArray.part(SHARED, layout, SHARED.size())) {
        Made made =
            generate(pipeline, engine(model, true).toBuilder().parallel(degrees).build(), input);
        assertThat(Pixels.largestDifference(made.pixels(), serial))
            .as(degrees.label())
            .isLessThanOrEqualTo(1e-4 * Pixels.largest(serial));
        int ranks = degrees.worldSize() / degrees.dataDegree();
        assertThat(made.textBytes().subList(0, ranks).stream().mapToLong(Long::longValue).sum())
            .as(degrees.label())
            .isEqualTo(whole.parameterBytes() + (ranks - 1) * everywhere);
        assertThat(made.textBytes()).doesNotContain(0L);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = "sd3_tiny")
  void withoutTheFlagOneRankOfADataParallelGroupHoldsTheEncodersAndBroadcasts(String model) {
    EngineConfig engine =
        engine(model, false).toBuilder()
            .parallel(SERIAL.toBuilder().dataDegree(2).ulyssesDegree(2).cfgDegree(2).build())
            .build();
    InputConfig input =
        Requests.two(model).toBuilder().numInferenceSteps(1).outputType(OutputType.PT).build();
    try (DiffusionPipeline pipeline = DiffusionPipeline.fromPretrained(engine.model())) {
      List<Long> held = generate(pipeline, engine, input).textBytes();
      long whole = pipeline.textEncoderBytes(); // both groups', once in this process
      assertThat(held).containsExactly(whole, 0L, 0L, 0L, whole, 0L, 0L, 0L);
    }
  }

  /** Of each prompt: sums after the embedding and twice in each of 2 layers, in fp32. */
  @Test
  void sumsAreCountedAsText() {
    int ranks = 4;
    EngineConfig engine =
        engine("pixart_sigma_tiny", true).toBuilder()
            .parallel(SERIAL.toBuilder().ulyssesDegree(2).cfgDegree(2).build())
            .build();
    InputConfig input = Requests.two("pixart_sigma_tiny").toBuilder().numInferenceSteps(1).build();
    try (DiffusionPipeline pipeline = DiffusionPipeline.fromPretrained(engine.model());
        XDiTParallel together = XDiTParallel.inProcess(pipeline, engine);
        Generation generation = together.generate(input)) {
      long states = 2L * 20 * 32; // prompts · tokens · width
      long sums = 2L * (1 + 2 * 2) * 2 * (ranks - 1) * states / ranks;
      for (RankReport rank : generation.report().ranks().subList(1, ranks)) {
        assertThat(rank.sentBytes()).containsEntry("text", 4 * sums);
      }
      RankReport first = generation.report().ranks().get(0);
      // both prompts' states and masks, to all others, and their names
      long broadcast = 2L * (ranks - 1) * (4 * states + 8 * 2 * 20);
      assertThat(Objects.requireNonNull(first.sentBytes().get("text")))
          .isBetween(4 * sums + broadcast, 4 * sums + broadcast + 1000);
    }
  }

  @Test
  void asManyCallsAsOneLikesGiveTheSameBitsAndGivenTextNeedsNoEncoder() {
    EngineConfig engine =
        engine("pixart_sigma_tiny", true).toBuilder()
            .parallel(SERIAL.toBuilder().ringDegree(3).build())
            .build();
    InputConfig input =
        Requests.two("pixart_sigma_tiny").toBuilder()
            .numInferenceSteps(1)
            .outputType(OutputType.PT)
            .build();
    try (DiffusionPipeline pipeline = DiffusionPipeline.fromPretrained(engine.model());
        DiffusionPipeline fresh = DiffusionPipeline.fromPretrained(engine.model())) {
      float[] first = Pixels.floats(generate(pipeline, engine, input).pixels());
      assertThat(Pixels.floats(generate(pipeline, engine, input).pixels())).isEqualTo(first);
      Map<String, NDArray> text = new HashMap<>();
      try (TextEncoder encoder = fresh.model().textEncoder(Placement.CPU, Share.WHOLE)) {
        TextEncoder.TextOptions options = new TextEncoder.TextOptions(20, true);
        text.putAll(encoder.encode(manager, TextRequest.of(input.prompts(), options)));
        encoder
            .encode(manager, TextRequest.of(List.of("", ""), options))
            .forEach((name, tensor) -> text.put(InputConfig.NEGATIVE + name, tensor));
      }
      Made given = generate(fresh, engine, input, new GivenTensors(null, text));
      assertThat(given.textBytes()).containsOnly(0L);
      assertThat(fresh.textEncoderBytes()).isZero();
    }
  }

  @ParameterizedTest
  @CsvSource({"dit_tiny, dit", "sd3_no_t5_tiny, sd3"})
  void aModelWithoutAnEncoderToShareIsRefused(String model, String name) {
    EngineConfig engine = engine(model, true);
    try (DiffusionPipeline pipeline = DiffusionPipeline.fromPretrained(engine.model())) {
      assertThatThrownBy(() -> XDiTParallel.inProcess(pipeline, engine))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage(
              "shard_text_encoder needs a text encoder that can be shared, but "
                  + name
                  + " has none");
    }
  }

  /** What came of a request: pixels, and the bytes of encoders by rank. */
  private record Made(NDArray pixels, List<Long> textBytes) {}

  private Made generate(DiffusionPipeline pipeline, EngineConfig engine, InputConfig input) {
    return generate(pipeline, engine, input, GivenTensors.NONE);
  }

  private Made generate(
      DiffusionPipeline pipeline, EngineConfig engine, InputConfig input, GivenTensors given) {
    EngineConfig fresh = engine.toBuilder().runtime(r -> r.warmupSteps(STEPS)).build();
    try (XDiTParallel ranks = XDiTParallel.inProcess(pipeline, fresh);
        Generation generation = ranks.generate(input, given, ProgressListener.NONE)) {
      return new Made(
          Torch.alias(manager, generation.tensor()),
          generation.report().ranks().stream().map(RankReport::textParameterBytes).toList());
    }
  }

  private static EngineConfig engine(String model, boolean sharded) {
    ModelConfig encodesEachTime =
        ModelConfig.builder(Requests.directory(model)).set(ModelConfig.TEXT_CACHE, 0).build();
    return EngineConfig.builder(encodesEachTime).runtime(r -> r.shardTextEncoder(sharded)).build();
  }

  /** Norms, two of each layer and the last, are on every rank. */
  private static long normBytes(String model, String t5) {
    T5Config config =
        T5Config.of(ComponentConfig.read(Requests.directory(model).resolve(t5 + "/config.json")));
    return 4L * config.width() * (2L * config.layers() + 1);
  }
}
