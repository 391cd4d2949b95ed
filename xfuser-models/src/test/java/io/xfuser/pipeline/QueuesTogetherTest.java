package io.xfuser.pipeline;

import static org.assertj.core.api.Assertions.assertThat;

import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.config.ModelConfig;
import io.xfuser.config.OutputType;
import io.xfuser.config.ParallelConfig;
import io.xfuser.failure.CancelledException;
import io.xfuser.failure.MismatchException;
import io.xfuser.failure.QueueFullException;
import io.xfuser.internal.parallel.TestRanks;
import io.xfuser.internal.parallel.World;
import io.xfuser.pipeline.GenerationTask.State;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Requests that wait at several ranks, each of which has a queue of its own. */
@Timeout(300)
class QueuesTogetherTest {
  private static final Path MODEL = Path.of("src/test/resources/fixtures/pixart_sigma_tiny");

  private static final int REQUESTS = 100;
  private static final int WAITING = 10;

  private static final InputConfig FOX =
      InputConfig.builder("a fox")
          .height(32)
          .width(32)
          .useResolutionBinning(false)
          .numInferenceSteps(1)
          .outputType(OutputType.LATENT)
          .build();

  @Test
  void ofAHundredRequestsOnQueuesOfTenBothRanksDrawTheSameElevenAndRefuseTheOthers()
      throws Exception {
    EngineConfig engine =
        EngineConfig.builder(MODEL)
            .parallel(ParallelConfig.builder().ulyssesDegree(2).build())
            .build();
    List<World> worlds = TestRanks.joined(2);
    try (DiffusionPipeline pipeline =
        DiffusionPipeline.fromPretrained(ModelConfig.builder(MODEL).build())) {
      List<XDiTParallel> ranks =
          worlds.stream().map(world -> new XDiTParallel(pipeline, engine, world)).toList();
      List<GenerationTask> first = submitted(ranks.get(0));
      first.get(5).cancel(); // in its turn, by both
      List<GenerationTask> second = submitted(ranks.get(1));
      for (int i = 0; i < REQUESTS; i++) {
        State expected = i == 5 ? State.CANCELLED : i <= WAITING ? State.DONE : State.FAILED;
        String refused = expected == State.FAILED ? "requests wait, and no more than 10 may" : "";
        for (GenerationTask task : List.of(first.get(i), second.get(i))) {
          assertThat(failure(task)).contains(refused);
          assertThat(task.state()).as("request %d", i).isEqualTo(expected);
        }
      }
      assertThat(ranks).allMatch(rank -> rank.waiting() == 0);
      ranks.get(0).close();
      ranks.get(1).close();
    } finally {
      TestRanks.leave(worlds);
    }
  }

  private static List<GenerationTask> submitted(XDiTParallel rank) {
    rank.limitWaiting(WAITING);
    List<GenerationTask> tasks = new ArrayList<>();
    for (int i = 0; i < REQUESTS; i++) {
      tasks.add(rank.submit(FOX.toBuilder().seed(i).build()));
    }
    return tasks;
  }

  /** Waits for its end, and closes the pictures if there are any. */
  private static String failure(GenerationTask task) {
    try {
      task.await().close();
      return "";
    } catch (CancelledException | MismatchException | QueueFullException e) {
      return String.valueOf(e.getMessage());
    }
  }
}
