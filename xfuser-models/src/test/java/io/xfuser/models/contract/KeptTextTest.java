package io.xfuser.models.contract;

import static org.assertj.core.api.Assertions.assertThat;

import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.config.InputConfigBuilder;
import io.xfuser.config.ModelConfig;
import io.xfuser.config.OutputType;
import io.xfuser.config.ParallelConfig;
import io.xfuser.pipeline.DiffusionPipeline;
import io.xfuser.report.RankReport;
import io.xfuser.testing.Pixels;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Encoded prompts that a pipeline keeps for later requests. */
class KeptTextTest extends CachedPictures {
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
    EngineConfig engine =
        EngineConfig.builder(pipeline.model())
            .parallel(degrees)
            .runtime(r -> r.shardTextEncoder(true))
            .build();
    return drawn(pipeline, engine, input);
  }

  private static void assertReused(Drawn drawn, int texts) {
    assertThat(drawn.ranks()).extracting(RankReport::reusedTexts).containsOnly(texts);
  }

  private static void assertEqual(Drawn one, Drawn other) {
    assertThat(Pixels.largestDifference(one.pixels(), other.pixels())).isZero();
  }
}
