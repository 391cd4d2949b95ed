package io.xfuser.models.internal.vae;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.config.OutputType;
import io.xfuser.config.ParallelConfig;
import io.xfuser.models.contract.CoveringArray;
import io.xfuser.models.contract.Requests;
import io.xfuser.pipeline.DiffusionPipeline;
import io.xfuser.pipeline.Generation;
import io.xfuser.pipeline.XDiTParallel;
import io.xfuser.report.RankReport;
import io.xfuser.testing.Pixels;
import io.xfuser.torchscript.Torch;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

/** From the prompt to the pixels, in [0, 1], with the decoding shared. */
class ParallelVaePipelineTest {
  private static final int STEPS = 1;

  /** Odd, because every other hybrid has ranks that decode alone. */
  private static final int PARTS = 5;

  /** Then those that decode as others do. */
  private static final List<String> MODELS =
      Stream.of(
              "pixart_sigma_tiny",
              "sd3_tiny",
              "latte_tiny",
              "dit_tiny",
              "latte_plain_tiny",
              "flux_dev_tiny",
              "hunyuandit_tiny")
          .limit(CoveringArray.ALL ? 7 : PARTS)
          .toList();

  private static final ParallelConfig SERIAL = ParallelConfig.serial();

  private final NDManager manager = Torch.newManager();

  @ParameterizedTest
  @FieldSource("MODELS")
  void ranksOfAPictureOrOfTheVaeAloneDecodeWhatOneDecodes(String model) {
    int turn = MODELS.indexOf(model);
    EngineConfig engine =
        EngineConfig.builder(VaeFixtures.directory(model))
            .runtime(r -> r.warmupSteps(STEPS))
            .build();
    try (DiffusionPipeline pipeline = DiffusionPipeline.fromPretrained(engine.model())) {
      for (boolean tiling : new boolean[] {false, true}) {
        boolean tiles = !model.equals("latte_tiny"); // a temporal decoder has none
        if (tiling != (tiles && turn % 2 == 0) && !(CoveringArray.ALL && tiles)) {
          continue;
        }
        EngineConfig alone = engine.toBuilder().runtime(r -> r.enableTiling(tiling)).build();
        NDArray serial = pixels(pipeline, alone, input(model));
        for (EngineConfig together : CoveringArray.part(hybrids(alone), turn, PARTS)) {
          assertThat(Pixels.largestDifference(pixels(pipeline, together, input(model)), serial))
              .as("%s, tiling %s", together.parallel(), tiling)
              .isLessThanOrEqualTo(1e-4);
        }
      }
    } finally {
      manager.close();
    }
  }

  /** Ranks of a picture decode together, or some decode alone; both flags change nothing. */
  private static List<EngineConfig> hybrids(EngineConfig engine) {
    List<EngineConfig> hybrids = new ArrayList<>();
    for (ParallelConfig degrees : Requests.HYBRIDS) {
      int turn = hybrids.size() / 2 + 1;
      int alone = turn % 4;
      boolean shared = alone == 0 || turn % 2 == 0;
      hybrids.add(
          engine.toBuilder().runtime(r -> r.useParallelVae(true)).parallel(degrees).build());
      hybrids.add(
          engine.toBuilder()
              .runtime(r -> r.useParallelVae(shared))
              .parallel(degrees.toBuilder().vaeParallelSize(alone).build())
              .build());
    }
    return hybrids;
  }

  @Test
  void everyRankReportsItsPartAndLatentsNeedNone() {
    EngineConfig engine = EngineConfig.of(VaeFixtures.directory("pixart_sigma_tiny"));
    EngineConfig shared =
        engine.toBuilder()
            .parallel(SERIAL.toBuilder().cfgDegree(2).pipefusionDegree(2).build())
            .runtime(engine.runtime().toBuilder().useParallelVae(true).build())
            .build();
    try (DiffusionPipeline pipeline = DiffusionPipeline.fromPretrained(engine.model());
        XDiTParallel ranks = XDiTParallel.inProcess(pipeline, shared)) {
      try (Generation generation = ranks.generate(input("pixart_sigma_tiny"))) {
        for (RankReport rank : generation.report().ranks()) {
          assertThat(rank.vaeSeconds()).isPositive();
          assertThat(Objects.requireNonNull(rank.sentBytes().get("vae"))).isPositive();
        }
      }
      InputConfig latents =
          input("pixart_sigma_tiny").toBuilder().outputType(OutputType.LATENT).build();
      try (Generation generation = ranks.generate(latents)) {
        for (RankReport rank : generation.report().ranks()) {
          assertThat(rank.sentBytes()).containsEntry("vae", 0L);
        }
      }
    }
  }

  @Test
  void ranksBeyondTheRowsOfLatentsHaveNothingToDecode() {
    EngineConfig engine = EngineConfig.of(VaeFixtures.directory("latte_tiny"));
    InputConfig low = input("latte_tiny").toBuilder().size(8, 40).build(); // 4 rows of latents
    try (DiffusionPipeline pipeline = DiffusionPipeline.fromPretrained(engine.model())) {
      NDArray serial = pixels(pipeline, engine, low);
      EngineConfig shared =
          engine.toBuilder()
              .parallel(SERIAL.toBuilder().cfgDegree(2).ulyssesDegree(3).build())
              .runtime(engine.runtime().toBuilder().useParallelVae(true).build())
              .build();
      assertThat(Pixels.largestDifference(pixels(pipeline, shared, low), serial))
          .isLessThanOrEqualTo(1e-4);
    } finally {
      manager.close();
    }
  }

  private static InputConfig input(String model) {
    return Requests.two(model).toBuilder().numInferenceSteps(STEPS).build();
  }

  private NDArray pixels(DiffusionPipeline pipeline, EngineConfig engine, InputConfig input) {
    try (XDiTParallel ranks = XDiTParallel.inProcess(pipeline, engine);
        Generation generation =
            ranks.generate(input.toBuilder().outputType(OutputType.PT).build())) {
      return Torch.alias(manager, generation.tensor());
    }
  }
}
