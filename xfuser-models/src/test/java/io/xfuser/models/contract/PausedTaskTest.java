package io.xfuser.models.contract;

import static io.xfuser.models.contract.PauseTest.FRESH;
import static io.xfuser.models.contract.PauseTest.STALE;
import static io.xfuser.models.contract.PauseTest.degrees;
import static io.xfuser.models.contract.PauseTest.input;
import static io.xfuser.models.contract.PauseTest.open;
import static io.xfuser.models.contract.PauseTest.pausedAfter;
import static io.xfuser.models.contract.PauseTest.ranks;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.xfuser.config.InputConfig;
import io.xfuser.config.ParallelConfig;
import io.xfuser.failure.CancelledException;
import io.xfuser.failure.ClosedException;
import io.xfuser.pipeline.DiffusionPipeline;
import io.xfuser.pipeline.GenerationTask;
import io.xfuser.pipeline.GenerationTask.State;
import io.xfuser.pipeline.Occupied;
import io.xfuser.pipeline.XDiTParallel;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What may become of a request that is paused, beside going on. */
@Timeout(300)
class PausedTaskTest {
  @Test
  void whatIsPausedCanBeCancelled() throws Exception {
    try (DiffusionPipeline pipeline = open(Requests.directory("dit_tiny"));
        XDiTParallel ranks = ranks(pipeline, STALE.get(0))) {
      GenerationTask task = Occupied.submit(ranks, input("dit_tiny"), 2);
      pausedAfter(task, 2);
      task.cancel();
      assertThatThrownBy(task::await)
          .isInstanceOf(CancelledException.class)
          .hasMessage("cancelled while the request was paused");
      assertThat(task.keptBytes()).isZero();
      assertThat(task.pause().get()).isEmpty();
      assertThatThrownBy(task::resume)
          .isInstanceOf(IllegalStateException.class)
          .hasMessage("the request is not paused, but CANCELLED");
      ranks.generate(input("dit_tiny")).close(); // the next one works
    }
  }

  @Test
  void closingEndsWhatIsPaused() throws Exception {
    try (DiffusionPipeline pipeline = open(Requests.directory("dit_tiny"));
        XDiTParallel closed = ranks(pipeline, ParallelConfig.serial())) {
      XDiTParallel ranks = ranks(pipeline, FRESH.get(0));
      GenerationTask task = Occupied.submit(ranks, input("dit_tiny"), 2);
      GenerationTask moving = Occupied.submit(ranks, input("dit_tiny"), 2);
      pausedAfter(task, 2);
      pausedAfter(moving, 2);
      ranks.close();
      assertThatThrownBy(task::await)
          .isInstanceOf(ClosedException.class)
          .hasMessage("the pipeline was closed while the request was paused");
      assertThatThrownBy(() -> moving.resume(closed)).isInstanceOf(IllegalStateException.class);
    }
  }

  @Test
  void otherRanksMustBeAbleToGoOn() throws Exception {
    InputConfig input = input("dit_tiny");
    try (DiffusionPipeline pipeline = open(Requests.directory("dit_tiny"));
        DiffusionPipeline opened = open(Requests.directory("dit_tiny"));
        XDiTParallel serial = ranks(pipeline, ParallelConfig.serial());
        XDiTParallel foreign = ranks(opened, ParallelConfig.serial());
        XDiTParallel tooMany = ranks(pipeline, degrees(x -> x.dataDegree(3)))) {
      GenerationTask task = Occupied.submit(serial, input, 2);
      pausedAfter(task, 2);
      assertThatThrownBy(() -> task.resume(foreign))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("with the same opened pipeline");
      assertThatThrownBy(() -> task.resume(tooMany))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("data_parallel_degree is 3, too many for 2 pictures");
      assertThat(task.state()).isEqualTo(State.PAUSED);
      task.resume();
      task.await().close();
    }
  }
}
