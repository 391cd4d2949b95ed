package io.xfuser.models.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import io.xfuser.config.InputConfig;
import io.xfuser.config.InputConfigBuilder;
import io.xfuser.config.ModelConfig;
import io.xfuser.config.OutputType;
import io.xfuser.config.ParallelConfig;
import io.xfuser.config.Settings.StepCache;
import io.xfuser.failure.ArgumentException;
import io.xfuser.pipeline.DiffusionPipeline;
import io.xfuser.pipeline.Generation;
import io.xfuser.pipeline.GenerationTask;
import io.xfuser.pipeline.XDiTParallel;
import io.xfuser.testing.Pixels;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Step caches with every transformer, with pauses, and what is refused. */
class StepCacheModelsTest extends CachedPictures {
  /**
   * Every transformer: long skips, frames, text that ends midway, pictures that are referred to.
   */
  static Stream<String> models() {
    return Stream.of(
        "chroma_tiny",
        "dit_tiny",
        "flux2_klein_tiny",
        "flux_kontext_tiny",
        "hunyuandit_tiny",
        "latte_tiny",
        "qwenimage_tiny",
        "sana_tiny",
        "sd35_medium_tiny",
        "wan22_tiny",
        "zimage_tiny");
  }

  @ParameterizedTest
  @MethodSource("models")
  void everyModelSparesEverySecondStepWhereverItRuns(String name) throws IOException {
    boolean kontext = name.contains("kontext");
    Path plain = Requests.directory(kontext ? "flux_dev_tiny" : name);
    ModelConfig model =
        ModelConfig.builder(kontext ? Requests.kontext(plain, folder) : plain).build();
    InputConfig two = Requests.two(kontext ? "flux_dev_tiny" : name);
    InputConfigBuilder request =
        (kontext ? Requests.referring(two) : two)
            .toBuilder()
                .numInferenceSteps(6)
                .outputType(OutputType.PT)
                .set(InputConfig.CACHE_THRESHOLD, 1e9)
                .set(InputConfig.CACHE_MAX_CONTINUOUS, 1);
    ParallelConfig patches = SERIAL.toBuilder().numPipelinePatch(3).build();
    try (Opened pipeline = new Opened(DiffusionPipeline.fromPretrained(model), model)) {
      for (StepCache method : List.of(StepCache.FBCACHE, StepCache.EASYCACHE)) {
        InputConfig input = request.set(InputConfig.CACHE, method).build();
        Drawn serial = drawn(pipeline, SERIAL, input);
        // Of two transformers each computes its first step
        assertThat(serial.ranks().get(0).sparedPasses())
            .isBetween(name.equals("wan22_tiny") ? 1 : 2, 3);
        ParallelConfig rows = SERIAL.toBuilder().dataDegree(2).ringDegree(2).build();
        assertClose(drawn(pipeline, rows, input), serial);
        ParallelConfig stages = patches.toBuilder().pipefusionDegree(2).ulyssesDegree(2).build();
        assertClose(drawn(pipeline, stages, input), drawn(pipeline, patches, input));
      }
    }
  }

  @Test
  void aRequestThatPausesGoesOnWithWhatItRemembers() throws Exception {
    for (String name : List.of("pixart_fb", "sd3_easy")) {
      Case one = named(name);
      ParallelConfig stages = SERIAL.toBuilder().pipefusionDegree(2).numPipelinePatch(3).build();
      try (Opened pipeline = open(one);
          XDiTParallel ranks = PauseTest.ranks(pipeline.pipeline(), stages)) {
        NDArray undisturbed = drawn(pipeline, stages, one.input()).pixels();
        GenerationTask task = PauseTest.waiting(ranks, one.input(), 1);
        int taken = PauseTest.pausedAfter(task, 1);
        while (taken < 10) {
          task.resume();
          taken = PauseTest.pausedAfter(task, taken + 1);
        }
        task.resume();
        try (Generation generation = task.await()) {
          assertThat(Pixels.largestDifference(generation.tensor(), undisturbed)).isZero();
        }
      }
    }
  }

  @Test
  void whatCannotBeHadIsRefusedInASentence() throws IOException {
    try (Opened flux = open(named("flux_fb"));
        Opened pixart = open(named("pixart_fb"))) {
      InputConfigBuilder request = named("pixart_fb").plain().toBuilder();
      assertThatThrownBy(
              () ->
                  drawn(pixart, SERIAL, request.set(InputConfig.CACHE, StepCache.TEACACHE).build()))
          .isInstanceOf(ArgumentException.class)
          .hasMessageStartingWith("cache teacache is not calibrated for this model");
      assertThatThrownBy(
              () ->
                  drawn(
                      flux,
                      SERIAL,
                      named("flux_fb").plain().toBuilder()
                          .set(InputConfig.CACHE, StepCache.TAYLORSEER)
                          .set(InputConfig.CACHE_THRESHOLD, 0.1)
                          .build()))
          .hasMessage(
              "cache taylorseer goes by the number of the step, so it takes no cache_threshold");
      InputConfigBuilder without = InputConfig.builder("a").set(InputConfig.CACHE_THRESHOLD, 0.1);
      assertThatThrownBy(without::build)
          .hasMessage("cache_threshold needs cache, of which it is a part, but there is none");
    }
  }

  @Test
  void aCalibrationThatIsNoneIsNamed() throws IOException {
    Path file = Files.writeString(folder.resolve("odd.json"), "{\"teacache\": [1, null]}");
    ModelConfig model =
        ModelConfig.builder(Requests.directory("flux_dev_tiny"))
            .set(ModelConfig.CACHE_CALIBRATION, file)
            .build();
    try (Opened flux = new Opened(DiffusionPipeline.fromPretrained(model), model)) {
      InputConfigBuilder tea =
          InputConfig.builder("a").size(64, 64).set(InputConfig.CACHE, StepCache.TEACACHE);
      assertThatThrownBy(() -> drawn(flux, SERIAL, tea.build()))
          .hasMessage(file + " is no calibration: it must have numbers under teacache or magcache");
    }
  }
}
