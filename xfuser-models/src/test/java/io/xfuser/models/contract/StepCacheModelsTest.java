package io.xfuser.models.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.config.InputConfigBuilder;
import io.xfuser.config.ModelConfig;
import io.xfuser.config.OutputType;
import io.xfuser.config.ParallelConfig;
import io.xfuser.config.Settings.StepCache;
import io.xfuser.failure.ArgumentException;
import io.xfuser.failure.ModelException;
import io.xfuser.internal.parallel.Fingerprint;
import io.xfuser.pipeline.DiffusionPipeline;
import io.xfuser.pipeline.Generation;
import io.xfuser.pipeline.GenerationTask;
import io.xfuser.pipeline.Occupied;
import io.xfuser.pipeline.Worlds;
import io.xfuser.pipeline.XDiTParallel;
import io.xfuser.testing.Pixels;
import io.xfuser.torchscript.Torch;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

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

  /**
   * With the first block's residual, which is the model's own, in stages or on ranks of tokens and
   * of pictures. The other method where skips cross stages, and where there are two transformers.
   */
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
                .numInferenceSteps(steps(name))
                .outputType(OutputType.LATENT)
                .set(InputConfig.CACHE_THRESHOLD, 1e9)
                .set(InputConfig.CACHE_MAX_CONTINUOUS, 1);
    ParallelConfig patches = SERIAL.toBuilder().numPipelinePatch(3).build();
    try (Opened pipeline = new Opened(DiffusionPipeline.fromPretrained(model), model)) {
      for (StepCache method : List.of(StepCache.FBCACHE, StepCache.EASYCACHE)) {
        InputConfig input = request.set(InputConfig.CACHE, method).build();
        boolean both = name.equals("hunyuandit_tiny") || name.equals("wan22_tiny");
        if (method == StepCache.EASYCACHE && !both && !CoveringArray.ALL) {
          continue;
        }
        boolean inStages = (name.hashCode() % 2 == 0) == (method == StepCache.EASYCACHE);
        boolean skips = name.equals("hunyuandit_tiny");
        if (inStages || skips || CoveringArray.ALL) {
          ParallelConfig stages = patches.toBuilder().pipefusionDegree(2).ulyssesDegree(2).build();
          Drawn patched = drawn(pipeline, patches, input);
          assertThat(patched.ranks().get(0).sparedPasses()).isPositive();
          assertClose(drawn(pipeline, stages, input), patched);
        }
        if (!(inStages || skips) || CoveringArray.ALL) {
          Drawn serial = drawn(pipeline, SERIAL, input);
          assertThat(serial.ranks().get(0).sparedPasses()).isBetween(1, steps(name) / 2);
          ParallelConfig rows = SERIAL.toBuilder().dataDegree(2).ringDegree(2).build();
          assertClose(drawn(pipeline, rows, input), serial);
        }
      }
    }
  }

  /** Of two transformers each computes its first step. */
  private static int steps(String name) {
    return name.equals("wan22_tiny") || CoveringArray.ALL ? 6 : 4;
  }

  @Test
  void aRequestThatPausesGoesOnWithWhatItRemembers() throws Exception {
    for (Case one : List.of(named("pixart_fb"), named("sd3_easy"))) {
      ParallelConfig stages = SERIAL.toBuilder().pipefusionDegree(2).numPipelinePatch(3).build();
      try (Opened pipeline = open(one);
          XDiTParallel ranks = PauseTest.ranks(pipeline.pipeline(), stages)) {
        NDArray undisturbed = drawn(pipeline, stages, one.latents()).pixels();
        GenerationTask task = Occupied.submit(ranks, one.latents(), 1);
        int taken = PauseTest.pausedAfter(task, 1);
        while (taken < 10) {
          Occupied.resume(task, taken + 1, ranks, one.latents());
          taken = PauseTest.pausedAfter(task, taken + 1);
        }
        task.resume();
        try (Generation generation = task.await()) {
          assertThat(Pixels.largestDifference(generation.tensor(), undisturbed)).isZero();
        }
      }
    }
  }

  /** What is remembered stays behind: the step after the move is computed, wherever it runs. */
  @Test
  void aRequestThatMovesBeginsToSpareAnewWhereverItGoes() throws Exception {
    Case one = named("sd3_easy");
    ParallelConfig ulysses = SERIAL.toBuilder().ulyssesDegree(2).build();
    try (Opened pipeline = open(one);
        XDiTParallel from = PauseTest.ranks(pipeline.pipeline(), SERIAL);
        XDiTParallel serial = PauseTest.ranks(pipeline.pipeline(), SERIAL);
        XDiTParallel two = PauseTest.ranks(pipeline.pipeline(), ulysses)) {
      NDArray alone = moved(one.latents(), from, serial);
      NDArray shared = moved(one.latents(), from, two);
      assertThat(Pixels.largestDifference(shared, alone))
          .isLessThanOrEqualTo(RANKS * Pixels.largest(alone));
    }
  }

  private NDArray moved(InputConfig input, XDiTParallel from, XDiTParallel to) throws Exception {
    GenerationTask task = Occupied.submit(from, input, 4);
    assertThat(PauseTest.pausedAfter(task, 4)).isEqualTo(4);
    task.resume(to);
    try (Generation generation = task.await()) {
      assertThat(generation.report().ranks().get(0).sparedPasses()).isPositive();
      return Torch.alias(manager, generation.tensor());
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

  @ParameterizedTest
  @ValueSource(strings = {"{\"teacache\": [1, null]}", "{}", "null", "{\"magcache\": [1, 1e999]}"})
  void aCalibrationThatIsNoneOpensNoModel(String content) throws IOException {
    Path file = Files.writeString(folder.resolve("odd.json"), content);
    ModelConfig model = calibrated(file);
    assertThatThrownBy(() -> DiffusionPipeline.fromPretrained(model).close())
        .isInstanceOf(ModelException.class)
        .hasMessage(
            "cache_calibration "
                + file
                + " is no calibration: it must have numbers under teacache or magcache");
  }

  @Test
  void aCalibrationIsReadOnceAndRanksMustHaveTheSame() throws IOException {
    Path file = Files.writeString(folder.resolve("mag.json"), "{\"magcache\": [1, 0.5]}");
    ModelConfig model = calibrated(file);
    EngineConfig engine = EngineConfig.builder(model.directory().orElseThrow()).build();
    try (DiffusionPipeline known = DiffusionPipeline.fromPretrained(model);
        DiffusionPipeline published = DiffusionPipeline.fromPretrained(engine)) {
      Files.delete(file);
      Fingerprint rank0 = Worlds.fingerprint(known, engine, 0);
      Fingerprint rank1 = Worlds.fingerprint(published, engine, 0);
      assertThat(Fingerprint.differences(List.of(rank0, rank1)).orElseThrow())
          .startsWith("rank 1 has cache_calibration ");
      InputConfigBuilder mag =
          InputConfig.builder("a")
              .size(64, 64)
              .numInferenceSteps(2)
              .outputType(OutputType.LATENT)
              .set(InputConfig.CACHE, StepCache.MAGCACHE);
      assertThat(drawn(new Opened(known, model), SERIAL, mag.build()).ranks()).isNotEmpty();
    }
  }

  private static ModelConfig calibrated(Path file) {
    return ModelConfig.builder(Requests.directory("flux_dev_tiny"))
        .set(ModelConfig.CACHE_CALIBRATION, file)
        .build();
  }
}
