package io.xfuser.models.internal.vae;

import static org.assertj.core.api.Assertions.assertThat;

import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.config.OutputType;
import io.xfuser.config.ParallelConfig;
import io.xfuser.internal.parallel.TestRanks;
import io.xfuser.internal.parallel.World;
import io.xfuser.internal.parallel.inprocess.InProcessRanks;
import io.xfuser.model.GivenTensors;
import io.xfuser.models.contract.Requests;
import io.xfuser.models.internal.pixart.WatchedSteps;
import io.xfuser.pipeline.DiffusionPipeline;
import io.xfuser.pipeline.Generation;
import io.xfuser.pipeline.XDiTParallel;
import io.xfuser.progress.ProgressListener;
import io.xfuser.report.RankReport;
import io.xfuser.torchscript.ElementType;
import io.xfuser.trace.RankTrace;
import io.xfuser.trace.TraceEvent.Activity;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Ranks that do nothing but decode. What they draw: {@link ParallelVaePipelineTest}. */
class VaeRanksTest {
  private static final int STEPS = 2;
  private static final ParallelConfig SERIAL = ParallelConfig.serial();
  private static final String PIXART = "pixart_sigma_tiny";

  @Test
  void holdNothingElseAndTheOthersHoldNoDecoder() {
    EngineConfig engine = EngineConfig.of(Requests.directory(PIXART));
    ParallelConfig degrees =
        SERIAL.toBuilder().pipefusionDegree(2).cfgDegree(2).vaeParallelSize(2).build();
    try (DiffusionPipeline pipeline = DiffusionPipeline.fromPretrained(engine.model());
        XDiTParallel ranks =
            XDiTParallel.inProcess(pipeline, engine.toBuilder().parallel(degrees).build());
        Generation generation = ranks.generate(input(PIXART))) {
      assertThat(generation.images()).hasSize(2);
      assertThat(generation.report().degrees()).containsEntry("vae", 2);
      List<RankReport> all = generation.report().ranks();
      assertThat(all).hasSize(6);
      for (RankReport rank : all.subList(0, 4)) {
        assertThat(rank.vaeParameterBytes()).isZero();
        assertThat(rank.vaeSeconds()).isZero();
        assertThat(rank.parameterBytes()).isPositive();
        assertThat(rank.stepSeconds()).hasSize(STEPS);
      }
      for (RankReport rank : all.subList(4, 6)) {
        assertThat(rank.vaeParameterBytes()).isPositive();
        assertThat(rank.vaeSeconds()).isPositive();
        assertThat(rank.parameterBytes() + rank.textParameterBytes() + rank.kvBufferBytes())
            .isZero();
        assertThat(rank.stepSeconds()).isEmpty();
      }
    }
  }

  @Test
  void areSentTheLatentsOnceAndShareThemAsStripsDo() {
    Path directory = Requests.directory(PIXART);
    EngineConfig engine = EngineConfig.of(directory);
    InputConfig input = input(PIXART).toBuilder().outputType(OutputType.PT).build();
    VaeCosts costs = VaeCosts.of(directory, Requests.resolve(directory, input).latents());
    long all = costs.latents(2); // to one other
    ParallelConfig degrees =
        SERIAL.toBuilder().dataDegree(2).pipefusionDegree(2).vaeParallelSize(3).build();
    try (DiffusionPipeline pipeline = DiffusionPipeline.fromPretrained(engine.model());
        XDiTParallel ranks =
            XDiTParallel.inProcess(pipeline, engine.toBuilder().parallel(degrees).build());
        Generation generation = ranks.generate(input)) {
      List<Long> sent =
          generation.report().ranks().stream().map(rank -> rank.sentBytes().get("vae")).toList();
      assertThat(sent)
          .containsExactly(
              0L,
              all / 2, // the last stage, one of two pictures
              0L,
              all / 2,
              costs.latents(3) + costs.sent(0, 3),
              costs.sent(1, 3),
              costs.sent(2, 3));
    }
  }

  @Test
  void haveNothingToDoForLatentsAndServeTheNextRequest() {
    EngineConfig engine = EngineConfig.of(Requests.directory(PIXART));
    ParallelConfig degrees = SERIAL.toBuilder().ulyssesDegree(2).vaeParallelSize(2).build();
    try (DiffusionPipeline pipeline = DiffusionPipeline.fromPretrained(engine.model());
        XDiTParallel ranks =
            XDiTParallel.inProcess(pipeline, engine.toBuilder().parallel(degrees).build())) {
      InputConfig latents = input(PIXART).toBuilder().outputType(OutputType.LATENT).build();
      try (Generation generation = ranks.trace(latents, GivenTensors.NONE, ProgressListener.NONE)) {
        assertThat(generation.tensor().getShape().get(0)).isEqualTo(2);
        assertThat(generation.report().ranks())
            .allMatch(
                rank -> rank.rank() < 2 || Long.valueOf(0).equals(rank.sentBytes().get("vae")));
        assertThat(generation.trace().ranks()).hasSize(4);
      }
      try (Generation generation =
          ranks.trace(
              input(PIXART).toBuilder().size(112, 80).build(),
              GivenTensors.NONE,
              ProgressListener.NONE)) {
        assertThat(generation.images()).allMatch(image -> image.getHeight() == 112);
        List<RankTrace> traces = generation.trace().ranks();
        for (int rank = 0; rank < 4; rank++) {
          assertThat(traces.get(rank).events().stream().map(event -> event.what()))
              .filteredOn(what -> what == Activity.DECODE)
              .hasSize(rank < 2 ? 0 : 1);
        }
      }
    }
  }

  @Test
  @Timeout(120)
  void waitLongerThanForOneMessage() throws Exception {
    EngineConfig engine = EngineConfig.of(Requests.directory(PIXART));
    EngineConfig apart =
        engine.toBuilder().parallel(SERIAL.toBuilder().vaeParallelSize(2).build()).build();
    Duration limit = Duration.ofSeconds(5);
    Duration step = Duration.ofMillis(1300);
    int steps = 5; // longer than the limit together
    InProcessRanks threads = new InProcessRanks(3, limit);
    try (DiffusionPipeline whole = DiffusionPipeline.fromPretrained(engine.model());
        DiffusionPipeline pipeline =
            DiffusionPipeline.of(
                new WatchedSteps<>(whole.model(), () -> sleep(step)), ElementType.FLOAT32)) {
      List<Integer> pictures =
          TestRanks.together(
              3,
              rank -> {
                try (World world = new World(threads.transport(rank));
                    XDiTParallel ranks = new XDiTParallel(pipeline, apart, world);
                    Generation generation =
                        ranks.generate(
                            input(PIXART).toBuilder().numInferenceSteps(steps).build())) {
                  return generation.images().size();
                }
              });
      assertThat(pictures).containsExactly(0, 2, 0);
    }
  }

  private static void sleep(Duration time) {
    try {
      Thread.sleep(time.toMillis());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static InputConfig input(String model) {
    return Requests.two(model).toBuilder().numInferenceSteps(STEPS).build();
  }
}
