package io.xfuser.models.contract;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.config.OutputType;
import io.xfuser.config.ParallelConfig;
import io.xfuser.pipeline.DiffusionPipeline;
import io.xfuser.pipeline.Generation;
import io.xfuser.pipeline.XDiTParallel;
import io.xfuser.report.RunReport;
import io.xfuser.testing.Pixels;
import io.xfuser.torchscript.Torch;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What users of xDiT trip over. Two more of these are held elsewhere: several prompts in every mode
 * by {@link ParallelContract}, all of whose requests have two, and one text encoder in a
 * data-parallel group by {@code SharedTextEncoderTest}.
 */
class TrippedOverTest {
  private static final ParallelConfig SERIAL = ParallelConfig.serial();

  private static final List<String> MODELS =
      List.of(
          "pixart_sigma_tiny",
          "sd35_medium_tiny",
          "flux_dev_tiny",
          "hunyuandit_tiny",
          "latte_tiny",
          "dit_tiny");

  /** Every method alone, and in pairs. */
  private static final List<ParallelConfig> METHODS =
      List.of(
          SERIAL.toBuilder().tensorDegree(2).build(),
          SERIAL.toBuilder().tensorDegree(3).build(),
          SERIAL.toBuilder().ulyssesDegree(2).build(),
          SERIAL.toBuilder().ulyssesDegree(4).build(),
          SERIAL.toBuilder().ringDegree(2).build(),
          SERIAL.toBuilder().ringDegree(4).build(),
          SERIAL.toBuilder().ulyssesDegree(2).ringDegree(2).build(),
          SERIAL.toBuilder().cfgDegree(2).build(),
          SERIAL.toBuilder().dataDegree(2).build(),
          SERIAL.toBuilder().pipefusionDegree(2).numPipelinePatch(3).build(),
          SERIAL.toBuilder().pipefusionDegree(4).build(),
          SERIAL.toBuilder().pipefusionDegree(2).ulyssesDegree(2).build(),
          SERIAL.toBuilder().pipefusionDegree(2).ringDegree(2).numPipelinePatch(3).build(),
          SERIAL.toBuilder().pipefusionDegree(2).tensorDegree(2).build(),
          SERIAL.toBuilder().distrifusionDegree(3).build(),
          SERIAL.toBuilder().distrifusionDegree(2).ulyssesDegree(2).build(),
          SERIAL.toBuilder().tensorDegree(2).ulyssesDegree(3).build(),
          SERIAL.toBuilder().cfgDegree(2).dataDegree(2).build());

  private final NDManager manager = Torch.newManager();

  @AfterEach
  void close() {
    manager.close();
  }

  /** Against one rank that makes the same picture: with the same patches, where there are some. */
  @ParameterizedTest
  @FieldSource("MODELS")
  void noRankNeedsMoreMemoryThanOneAlone(String model) {
    try (DiffusionPipeline pipeline = open(Requests.directory(model))) {
      InputConfig input = latents(Requests.two(model));
      boolean shareable = !pipeline.model().shareableTextEncoders().isEmpty();
      Map<EngineConfig, Long> references = new HashMap<>();
      boolean sharded = false;
      int turn = MODELS.indexOf(model); // now an even place, now an odd one
      for (ParallelConfig degrees :
          CoveringArray.part(METHODS, 2 * turn + turn % 2, 2 * MODELS.size())) {
        sharded = shareable && !sharded;
        ParallelConfig patches =
            SERIAL.toBuilder()
                .numPipelinePatch(degrees.patches())
                .numDistrifusionPatch(degrees.distrifusionPatches())
                .build();
        EngineConfig one = engine(model, patches, sharded);
        long alone =
            references.computeIfAbsent(one, engine -> most(report(pipeline, engine, input)));
        assertThat(most(report(pipeline, engine(model, degrees, sharded), input)))
            .as("%s, T5 in shares: %s", degrees.label(), sharded)
            .isLessThanOrEqualTo(alone);
      }
    }
  }

  /** With as many blocks as published models, the blocks left out make up for kept keys. */
  @Test
  void noStageNeedsMoreMemoryThanOneRankWithoutPatches(@TempDir Path directory) throws IOException {
    DeepPixArt.write(directory);
    try (DiffusionPipeline pipeline = open(directory)) {
      InputConfig input = latents(DeepPixArt.input());
      long alone = most(report(pipeline, EngineConfig.of(directory), input));
      for (int stages : CoveringArray.ALL ? new int[] {2, 3, 4, 8} : new int[] {8}) {
        EngineConfig engine =
            EngineConfig.builder(directory)
                .parallel(SERIAL.toBuilder().pipefusionDegree(stages).build())
                .build();
        assertThat(most(report(pipeline, engine, input)))
            .as("%d stages", stages)
            .isLessThanOrEqualTo(alone);
      }
    }
  }

  /** Weights of the transformer and of text encoders, and all tensors of the denoising. */
  private static long most(RunReport report) {
    return report.ranks().stream()
        .mapToLong(
            rank -> rank.parameterBytes() + rank.textParameterBytes() + rank.peakTensorBytes())
        .max()
        .orElseThrow();
  }

  @Tag("complete")
  @ParameterizedTest
  @ValueSource(strings = {"hunyuandit_tiny", "pixart_sigma_tiny"}) // the former has long skips
  void twoSizesAreSoOfOtherModels(String model) {
    twoSizesOneAfterTheOtherAreWhatEachIsAlone(model);
  }

  /** Stages with patches, and shares of layers; with ranks of tokens {@code EmbeddingTest}. */
  @ParameterizedTest
  @ValueSource(strings = {"sd35_medium_tiny", "flux_dev_tiny"})
  void twoSizesOneAfterTheOtherAreWhatEachIsAlone(String model) {
    InputConfig small = latents(Requests.two(model));
    InputConfig large = small.toBuilder().size(144, 96).build();
    List<ParallelConfig> methods =
        List.of(
            SERIAL.toBuilder().ulyssesDegree(2).ringDegree(2).build(),
            SERIAL.toBuilder().pipefusionDegree(3).numPipelinePatch(4).build(),
            SERIAL.toBuilder().tensorDegree(2).build());
    for (ParallelConfig degrees : CoveringArray.part(methods, MODELS.indexOf(model), 3)) {
      EngineConfig engine = engine(model, degrees, false);
      try (DiffusionPipeline pipeline = open(Requests.directory(model));
          XDiTParallel ranks = XDiTParallel.inProcess(pipeline, engine)) {
        float[] first = pixels(ranks, small);
        assertThat(pixels(ranks, large)).isEqualTo(freshly(engine, large));
        assertThat(pixels(ranks, small)).isEqualTo(first);
      }
    }
  }

  private static float[] freshly(EngineConfig engine, InputConfig input) {
    try (XDiTParallel ranks = XDiTParallel.inProcess(engine)) {
      return pixels(ranks, input);
    }
  }

  private static float[] pixels(XDiTParallel ranks, InputConfig input) {
    try (Generation generation = ranks.generate(input)) {
      return Pixels.floats(generation.tensor());
    }
  }

  @Tag("complete")
  @ParameterizedTest
  @ValueSource(strings = {"pixart_sigma_tiny", "flux_dev_tiny"})
  void sequencesOfOtherModelsKeepTheirs(String model) {
    aSequenceThatTheDegreesDoNotDivideKeepsItsLength(model);
  }

  /** 35 tokens, over 3 ranks and in 4 patches; {@link ParallelContract} has as many. */
  @ParameterizedTest
  @ValueSource(strings = "sd35_medium_tiny")
  void aSequenceThatTheDegreesDoNotDivideKeepsItsLength(String model) {
    try (DiffusionPipeline pipeline = open(Requests.directory(model))) {
      InputConfig input = latents(Requests.two(model));
      int tokens = pipeline.model().resolve(input).latents().axes().tokens();
      assertThat(tokens).isEqualTo(35);
      List<ParallelConfig> odd =
          List.of(
              SERIAL.toBuilder().ulyssesDegree(2).build(),
              SERIAL.toBuilder().ulyssesDegree(3).build(),
              SERIAL.toBuilder().ringDegree(4).build(),
              SERIAL.toBuilder().ulyssesDegree(2).ringDegree(4).build(),
              SERIAL.toBuilder().pipefusionDegree(2).numPipelinePatch(3).build(),
              SERIAL.toBuilder()
                  .pipefusionDegree(2)
                  .ulyssesDegree(2)
                  .ringDegree(2)
                  .numPipelinePatch(4)
                  .build());
      for (ParallelConfig degrees : CoveringArray.part(odd, MODELS.indexOf(model), 3)) {
        NDArray alone =
            latents(
                pipeline,
                engine(
                    model, SERIAL.toBuilder().numPipelinePatch(degrees.patches()).build(), false),
                input);
        NDArray together = latents(pipeline, engine(model, degrees, false), input);
        assertThat(together.getShape()).as(degrees.label()).isEqualTo(alone.getShape());
        assertThat(Pixels.largestDifference(together, alone))
            .as(degrees.label())
            .isLessThanOrEqualTo(1e-4 * Pixels.largest(alone));
      }
    }
  }

  private static InputConfig latents(InputConfig input) {
    return input.toBuilder().numInferenceSteps(2).outputType(OutputType.LATENT).build();
  }

  private static DiffusionPipeline open(Path directory) {
    return DiffusionPipeline.fromPretrained(EngineConfig.of(directory).model());
  }

  private static EngineConfig engine(String model, ParallelConfig degrees, boolean sharded) {
    EngineConfig engine = EngineConfig.of(Requests.directory(model));
    return engine.toBuilder().runtime(r -> r.shardTextEncoder(sharded)).parallel(degrees).build();
  }

  private static RunReport report(
      DiffusionPipeline pipeline, EngineConfig engine, InputConfig input) {
    try (XDiTParallel ranks = XDiTParallel.inProcess(pipeline, engine);
        Generation generation = ranks.generate(input)) {
      return generation.report();
    }
  }

  private NDArray latents(DiffusionPipeline pipeline, EngineConfig engine, InputConfig input) {
    try (XDiTParallel ranks = XDiTParallel.inProcess(pipeline, engine);
        Generation generation = ranks.generate(input)) {
      return Torch.copy(manager, generation.tensor());
    }
  }
}
