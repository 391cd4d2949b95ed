package io.xfuser.models.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.config.InputConfigBuilder;
import io.xfuser.config.OutputType;
import io.xfuser.config.ParallelConfig;
import io.xfuser.config.Settings.StepCache;
import io.xfuser.failure.CancelledException;
import io.xfuser.models.internal.weights.FileWeights;
import io.xfuser.pipeline.Generation;
import io.xfuser.pipeline.XDiTParallel;
import io.xfuser.progress.Progress;
import io.xfuser.testing.Pixels;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Steps that a cache spares: which ones, and what the picture is then, equals diffusers' hooks and
 * the papers' code (scripts/fixtures/cache_reference.py), whoever computes it.
 */
class StepCacheTest extends CachedPictures {
  /** Of these each patch would decide otherwise than the picture, at this share of a threshold. */
  private static final List<String> APART = List.of("flux_tea", "sd3_easy");

  private static final double SHARE = 0.8;

  private final Map<Path, NDArray> plain = new HashMap<>();

  @ParameterizedTest
  @MethodSource("cases")
  void decisionsAndPicturesEqualTheReference(Case one) throws IOException {
    try (Opened pipeline = open(one);
        FileWeights pixels = FileWeights.openFile(REFERENCES.resolve("pixels.safetensors"), null)) {
      Drawn ours = drawn(pipeline, SERIAL, one.input());
      DiffusersCall call = new DiffusersCall("", one.seed(), one.json());
      NDArray theirs = pixels.get(manager, one.toString(), pixels.shape(one.toString()));
      assertThat(Pixels.largestDifference(call.strided(ours.pixels()), theirs))
          .isLessThanOrEqualTo(TOLERANCE);
      assertThat(ours.ranks().get(0).sparedPasses()).isEqualTo(one.spared());
      Path model = pipeline.model().directory().orElseThrow();
      if (!plain.containsKey(model)) {
        plain.put(model, drawn(pipeline, SERIAL, one.plain()).pixels());
      }
      NDArray all = Objects.requireNonNull(plain.get(model));
      assertThat(Pixels.largestDifference(ours.pixels(), all)).isGreaterThan(TOLERANCE);
    }
  }

  /** Degrees whose ranks decide together: of tokens, guidance, pictures and shares of layers. */
  static List<ParallelConfig> together() {
    return List.of(
        SERIAL.toBuilder().ulyssesDegree(3).build(),
        SERIAL.toBuilder().ringDegree(2).tensorDegree(2).build(),
        SERIAL.toBuilder().pipefusionDegree(2).numPipelinePatch(1).build());
  }

  /** One of them for each case: the branches' of a model that has them. */
  private static Set<ParallelConfig> together(Case one) {
    List<ParallelConfig> tokens = together();
    Set<ParallelConfig> some = new LinkedHashSet<>();
    if (!one.toString().startsWith("flux")) {
      some.add(SERIAL.toBuilder().cfgDegree(2).ulyssesDegree(2).build());
    }
    if (CoveringArray.ALL || some.isEmpty()) {
      some.addAll(
          CoveringArray.part(tokens, one.toString().equals("flux_tea") ? 1 : 2, tokens.size()));
    }
    return some;
  }

  @ParameterizedTest
  @MethodSource("oneOfEachMethod")
  void ranksDecideAsOneDoes(Case one) throws IOException {
    try (Opened pipeline = open(one)) {
      Drawn serial = drawn(pipeline, SERIAL, one.latents());
      for (ParallelConfig degrees : together(one)) {
        Drawn ranks = drawn(pipeline, degrees, one.latents());
        assertClose(ranks, serial);
      }
    }
  }

  /** One of each method; their models are {@link StepCacheModelsTest}'s. */
  static Stream<Case> oneOfEachMethod() throws IOException {
    List<String> others = List.of("flux_fb", "flux_taylor", "flux_easy");
    return cases().filter(one -> CoveringArray.ALL || !others.contains(one.toString()));
  }

  /** A method that decides by the patch, whose decisions may differ, and one that extrapolates. */
  static Stream<Case> ofPatches() throws IOException {
    return some("pixart_fb", "sd3_taylor");
  }

  /** A method that decides by the patch, each of which is to decide as the others do. */
  static Stream<Case> ofPictures() throws IOException {
    return some(APART.get(0));
  }

  private static Stream<Case> some(String... names) throws IOException {
    return oneOfEachMethod()
        .filter(one -> CoveringArray.ALL || List.of(names).contains(one.toString()));
  }

  /** Each patch has a decision of its own; two stages draw what one rank draws of these patches. */
  @ParameterizedTest
  @MethodSource("ofPatches")
  void stagesOfPipeFusionDecideAsOneRankWithTheirPatches(Case one) throws IOException {
    ParallelConfig patches = SERIAL.toBuilder().numPipelinePatch(3).build();
    try (Opened pipeline = open(one)) {
      Drawn serial = drawn(pipeline, patches, 2, one.latents());
      assertThat(serial.ranks().get(0).sparedPasses()).isPositive();
      ParallelConfig degrees =
          one.toString().startsWith("flux")
              ? patches.toBuilder().pipefusionDegree(2).build()
              : patches.toBuilder().pipefusionDegree(3).ulyssesDegree(2).build();
      assertClose(drawn(pipeline, degrees, 2, one.latents()), serial);
    }
  }

  /**
   * One decision for all patches: stages of PipeFusion that wait for them, and ranks of
   * DistriFusion, draw what one rank draws of these patches.
   */
  @ParameterizedTest
  @MethodSource("ofPictures")
  void patchesThatAreDecidedTogetherAreSparedTogether(Case one) throws IOException {
    try (Opened pipeline = open(one)) {
      InputConfig own = atShare(one);
      InputConfig whole = own.toBuilder().set(InputConfig.CACHE_WHOLE_PICTURE, true).build();
      ParallelConfig patches = SERIAL.toBuilder().numPipelinePatch(3).build();
      Drawn serial = drawn(pipeline, patches, 1, whole);
      int together = serial.ranks().get(0).sparedPasses();
      assertThat(together).isPositive().matches(x -> x % 3 == 0);
      if (APART.contains(one.toString())) {
        assertThat(drawn(pipeline, patches, 1, own).ranks().get(0).sparedPasses())
            .isNotEqualTo(together);
      }
      assertClose(
          drawn(pipeline, patches.toBuilder().pipefusionDegree(3).build(), 1, whole), serial);
      Drawn displaced = drawn(pipeline, SERIAL.toBuilder().numDistrifusionPatch(3).build(), 1, own);
      int spared = displaced.ranks().get(0).sparedPasses();
      assertThat(spared).isPositive().matches(x -> x % 3 == 0);
      Drawn ranks = drawn(pipeline, SERIAL.toBuilder().distrifusionDegree(3).build(), 1, own);
      assertThat(Pixels.largestDifference(ranks.pixels(), displaced.pixels()))
          .isLessThanOrEqualTo(RANKS * Pixels.largest(displaced.pixels()));
      assertThat(ranks.ranks())
          .allSatisfy(rank -> assertThat(rank.sparedPasses()).isEqualTo(spared / 3));
    }
  }

  private static InputConfig atShare(Case one) {
    double threshold = one.json().get("cache").path("cache_threshold").asDouble();
    InputConfigBuilder latents = one.latents().toBuilder();
    return APART.contains(one.toString())
        ? latents.set(InputConfig.CACHE_THRESHOLD, SHARE * threshold).build()
        : latents.build();
  }

  @ParameterizedTest
  @EnumSource(
      value = StepCache.class,
      names = {"NONE", "TAYLORSEER"},
      mode = EnumSource.Mode.EXCLUDE)
  void aThresholdOfNothingComputesAllAndAnEndlessOneOnlyWhatItMust(StepCache method)
      throws IOException {
    Case one = named("flux_fb");
    int steps = 6;
    InputConfig latents =
        one.plain().toBuilder().numInferenceSteps(steps).outputType(OutputType.LATENT).build();
    try (Opened pipeline = open(one)) {
      InputConfigBuilder request =
          latents.toBuilder()
              .set(InputConfig.CACHE, method)
              .set(InputConfig.CACHE_MAX_CONTINUOUS, 100)
              .set(InputConfig.CACHE_WARMUP_STEPS, 0);
      NDArray plain = drawn(pipeline, SERIAL, latents).pixels();
      Drawn none = drawn(pipeline, SERIAL, request.set(InputConfig.CACHE_THRESHOLD, 0.0).build());
      assertThat(none.ranks().get(0).sparedPasses()).isZero();
      assertThat(Pixels.largestDifference(none.pixels(), plain)).isZero();
      int must =
          switch (method) {
            case TEACACHE -> 2; // the first and the last
            case EASYCACHE -> 3; // and a second one, to know how predictions change
            default -> 1;
          };
      Drawn all = drawn(pipeline, SERIAL, request.set(InputConfig.CACHE_THRESHOLD, 1e9).build());
      assertThat(all.ranks().get(0).sparedPasses()).isEqualTo(steps - must);
      NDArray again = drawn(pipeline, SERIAL, latents).pixels();
      assertThat(Pixels.largestDifference(again, plain)).isZero(); // nothing leaks into the next
    }
  }

  @Test
  void aRequestThatIsCancelledInASparedStepLeavesNothingToTheNext() throws IOException {
    Case one = named("flux_fb");
    InputConfig spared =
        one.latents().toBuilder()
            .numInferenceSteps(6)
            .set(InputConfig.CACHE_WARMUP_STEPS, 0)
            .set(InputConfig.CACHE_THRESHOLD, 1e9)
            .build();
    InputConfig endless = spared.toBuilder().numInferenceSteps(500).build();
    InputConfig plain =
        one.plain().toBuilder().numInferenceSteps(3).outputType(OutputType.LATENT).build();
    ParallelConfig stages = SERIAL.toBuilder().pipefusionDegree(2).numPipelinePatch(3).build();
    try (Opened pipeline = open(one)) {
      List<ParallelConfig> layouts = List.of(stages, together().get(0), SERIAL);
      for (ParallelConfig degrees : layouts.subList(0, CoveringArray.ALL ? 3 : 1)) {
        EngineConfig engine = EngineConfig.builder(pipeline.model()).parallel(degrees).build();
        NDArray all = drawn(pipeline, engine, plain).pixels();
        NDArray cached = drawn(pipeline, engine, spared).pixels();
        try (XDiTParallel ranks = XDiTParallel.inProcess(pipeline.pipeline(), engine)) {
          assertThatThrownBy(() -> ranks.generate(endless, StepCacheTest::isInTheFirstStep))
              .isInstanceOf(CancelledException.class);
          try (Generation next = ranks.generate(plain);
              Generation again = ranks.generate(spared)) {
            assertThat(Pixels.largestDifference(next.tensor(), all)).isZero();
            assertThat(Pixels.largestDifference(again.tensor(), cached)).isZero();
          }
        }
      }
    }
  }

  /** All others are spared. */
  private static boolean isInTheFirstStep(Progress progress) {
    return !(progress instanceof Progress.Denoising step) || step.done() < 2;
  }
}
