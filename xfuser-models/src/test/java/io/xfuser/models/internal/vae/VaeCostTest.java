package io.xfuser.models.internal.vae;

import static org.assertj.core.api.Assertions.assertThat;

import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.config.OutputType;
import io.xfuser.config.ParallelConfig;
import io.xfuser.model.LatentShape;
import io.xfuser.models.contract.CoveringArray;
import io.xfuser.models.contract.Requests;
import io.xfuser.pipeline.DiffusionPipeline;
import io.xfuser.pipeline.Generation;
import io.xfuser.pipeline.XDiTParallel;
import io.xfuser.report.RankReport;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

/**
 * Law 4 of the decoder: in a whole run, every rank's bytes on the {@code vae} channel. Models share
 * out the degrees.
 */
class VaeCostTest {
  private static final ParallelConfig SERIAL = ParallelConfig.serial();

  private static final List<String> MODELS =
      List.of("pixart_sigma_tiny", "sd3_tiny", "flux_dev_tiny", "hunyuandit_tiny", "dit_tiny");

  private static final List<ParallelConfig> DEGREES =
      List.of(
          SERIAL.toBuilder().pipefusionDegree(2).build(),
          SERIAL.toBuilder().tensorDegree(3).build(),
          SERIAL.toBuilder().cfgDegree(2).build());

  @ParameterizedTest
  @FieldSource("MODELS")
  void stripsSendWhatTheFormulasSay(String model) {
    Path directory = Requests.directory(model);
    EngineConfig engine = EngineConfig.of(directory);
    InputConfig input =
        Requests.two(model).toBuilder().numInferenceSteps(1).outputType(OutputType.PT).build();
    LatentShape latents = Requests.resolve(directory, input).latents();
    VaeCosts costs = VaeCosts.of(directory, latents);
    EngineConfig shared = engine.toBuilder().runtime(r -> r.useParallelVae(true)).build();
    try (DiffusionPipeline pipeline = DiffusionPipeline.fromPretrained(engine.model())) {
      int turn = MODELS.indexOf(model);
      for (ParallelConfig degrees : CoveringArray.part(DEGREES, turn, DEGREES.size())) {
        int strips = degrees.worldSize();
        int first = degrees.pipefusionDegree() - 1; // of the last stage
        try (XDiTParallel ranks =
                XDiTParallel.inProcess(
                    pipeline,
                    shared.toBuilder()
                        .parallel(degrees.toBuilder().numPipelinePatch(1).build())
                        .build());
            Generation generation = ranks.generate(input)) {
          for (RankReport rank : generation.report().ranks()) {
            int strip =
                rank.rank() == first ? 0 : rank.rank() < first ? rank.rank() + 1 : rank.rank();
            long expected = costs.sent(strip, strips) + (strip == 0 ? costs.latents(strips) : 0);
            assertThat(rank.sentBytes())
                .as("%s, rank %d", degrees.label(), rank.rank())
                .containsEntry("vae", expected);
          }
        }
      }
    }
  }
}
