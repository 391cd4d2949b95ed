package io.xfuser.models.contract;

import static org.assertj.core.api.Assertions.assertThat;

import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.config.InputConfigBuilder;
import io.xfuser.config.ModelConfig;
import io.xfuser.config.OutputType;
import io.xfuser.config.ParallelConfig;
import io.xfuser.pipeline.DiffusionPipeline;
import io.xfuser.pipeline.XDiTParallel;
import io.xfuser.progress.Progress;
import io.xfuser.report.RankReport;
import io.xfuser.testing.Pixels;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Encoded prompts that a pipeline keeps for later requests. */
class KeptTextTest extends CachedPictures {
  /**
   * T5 of the tiny Stable Diffusion 3 has two layers, which the prompts go through once or twice.
   */
  private static final List<Progress> TOGETHER =
      List.of(new Progress.Encoding(0, 2), new Progress.Encoding(2, 2));

  private static final List<Progress> IN_TURN =
      List.of(new Progress.Encoding(0, 4), new Progress.Encoding(4, 4));

  private static final List<Progress> FIRST_ALONE = List.of(new Progress.Encoding(0, 4));

  /** The first encodes negative prompts by themselves, the second with the prompts. */
  @ParameterizedTest
  @ValueSource(strings = {"sd3_tiny", "sana_tiny"})
  void whatWasEncodedBeforeDrawsTheSamePictureToTheBit(String model) {
    InputConfig fox = one(model, "a red fox");
    InputConfig boat = one(model, "a blue boat");
    try (Opened used = opened(model, 64);
        Opened fresh = opened(model, 64)) {
      assertReused(drawn(used, SERIAL, fox), 0);
      Drawn again = drawn(used, SERIAL, fox);
      boolean apart = model.equals("sd3_tiny");
      assertReused(again, apart ? 2 : 1);
      assertThat(again.ranks().get(0).textParameterBytes()).isZero(); // it was not even asked for
      Drawn other = drawn(used, SERIAL, boat);
      assertReused(other, apart ? 1 : 0); // the negative prompt
      assertEqual(other, drawn(fresh, SERIAL, boat)); // whatever was drawn before
      assertEqual(again, drawn(fresh, SERIAL, fox));
      InputConfig unlike = boat.toBuilder().maxSequenceLength(12).build();
      assertReused(drawn(used, SERIAL, unlike), 0);
    }
  }

  @Test
  void ranksWithSharesOfTheEncoderLearnWhatTheFirstOneHas() {
    try (Opened pipeline = opened("sd3_tiny", 64)) {
      ParallelConfig degrees = SERIAL.toBuilder().ulyssesDegree(2).build();
      InputConfig fox = one("sd3_tiny", "a red fox");
      Drawn serial = drawn(pipeline, SERIAL, fox);
      Drawn first = shared(pipeline, degrees, fox);
      assertReused(first, 0); // sums over shares are others than those of the whole
      Drawn again = shared(pipeline, degrees, fox);
      assertReused(again, 2);
      assertEqual(again, first);
      assertReused(shared(pipeline, degrees, one("sd3_tiny", "a blue boat")), 1);
      assertThat(Pixels.largestDifference(again.pixels(), serial.pixels()))
          .isLessThanOrEqualTo(RANKS);
    }
  }

  @Test
  void whatIsMissingOfBothPromptsIsEncodedTogether() {
    InputConfig fox = one("sd3_tiny", "a red fox");
    try (Opened pipeline = opened("sd3_tiny", 64)) {
      ParallelConfig degrees = SERIAL.toBuilder().ulyssesDegree(2).build();
      assertThat(layers(pipeline, sharing(pipeline, degrees), fox)).isEqualTo(IN_TURN);
      EngineConfig engine = sharing(pipeline, SERIAL); // with nobody
      assertThat(layers(pipeline, engine, fox)).isEqualTo(TOGETHER);
      assertThat(layers(pipeline, engine, fox)).isEmpty();
      assertThat(layers(pipeline, engine, one("sd3_tiny", "a blue boat"))).isEqualTo(FIRST_ALONE);
    }
  }

  @Test
  void noMoreThanSomeThousandTokensAreEncodedTogether() {
    InputConfig four =
        one("sd3_tiny", "").toBuilder()
            .prompts(List.of("a red fox", "a blue boat", "a tree", "two trees"))
            .size(32, 32)
            .maxSequenceLength(256)
            .build();
    try (Opened pipeline = opened("sd3_tiny", 64)) {
      EngineConfig serial = sharing(pipeline, SERIAL);
      assertThat(layers(pipeline, serial, four)).isEqualTo(TOGETHER);
      InputConfig longer = four.toBuilder().maxSequenceLength(257).build();
      assertThat(layers(pipeline, serial, longer)).isEqualTo(IN_TURN);
      EngineConfig halves = sharing(pipeline, SERIAL.toBuilder().dataDegree(2).build());
      InputConfig longest = four.toBuilder().maxSequenceLength(258).build();
      assertThat(layers(pipeline, halves, longest)).isEqualTo(TOGETHER); // two prompts each
    }
  }

  @Test
  void nothingIsKeptWhereThereIsNoRoom() {
    try (Opened pipeline = opened("sd3_tiny", 0)) {
      InputConfig fox = one("sd3_tiny", "a red fox");
      Drawn first = drawn(pipeline, SERIAL, fox);
      Drawn again = drawn(pipeline, SERIAL, fox);
      assertReused(again, 0);
      assertEqual(again, first);
    }
  }

  private static Opened opened(String name, int megabytes) {
    ModelConfig model =
        ModelConfig.builder(Requests.directory(name))
            .set(ModelConfig.TEXT_CACHE, megabytes)
            .build();
    return new Opened(DiffusionPipeline.fromPretrained(model), model);
  }

  private static InputConfig one(String model, String prompt) {
    InputConfigBuilder request = Requests.two(model).toBuilder().prompts(List.of(prompt));
    return request.numInferenceSteps(2).outputType(OutputType.PT).build();
  }

  private Drawn shared(Opened pipeline, ParallelConfig degrees, InputConfig input) {
    return drawn(pipeline, sharing(pipeline, degrees), input);
  }

  private static EngineConfig sharing(Opened pipeline, ParallelConfig degrees) {
    return EngineConfig.builder(pipeline.model())
        .parallel(degrees)
        .runtime(r -> r.shardTextEncoder(true))
        .build();
  }

  /** Where encoding began and ended; what is between may be left out. */
  private static List<Progress> layers(Opened pipeline, EngineConfig engine, InputConfig input) {
    List<Progress> told = new CopyOnWriteArrayList<>();
    try (XDiTParallel ranks = XDiTParallel.inProcess(pipeline.pipeline(), engine)) {
      ranks.generate(input, told::add).close();
    }
    return told.stream()
        .filter(Progress.Encoding.class::isInstance)
        .filter(progress -> progress.done() == 0 || progress.complete())
        .toList();
  }

  private static void assertReused(Drawn drawn, int texts) {
    assertThat(drawn.ranks()).extracting(RankReport::reusedTexts).containsOnly(texts);
  }

  private static void assertEqual(Drawn one, Drawn other) {
    assertThat(Pixels.largestDifference(one.pixels(), other.pixels())).isZero();
  }
}
