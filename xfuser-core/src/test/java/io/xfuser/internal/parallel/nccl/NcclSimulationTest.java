package io.xfuser.internal.parallel.nccl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.internal.parallel.TestRanks;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Torch;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.IntConsumer;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * The simulation rejects what would hang or go wrong on GPUs; else tests that use it prove little.
 */
class NcclSimulationTest {
  private final NcclSimulation gpus = new NcclSimulation(false);
  private final NDManager scope = Torch.newManager();
  private final Rank first = new Rank(0);
  private final Rank second = new Rank(1);

  /** One rank of a communicator of two, played by the test's only thread. */
  private final class Rank {
    private final NcclLibrary library;
    private final CompletableFuture<Long> opened;
    private final long stream;

    Rank(int rank) {
      library = gpus.library(rank);
      opened = CompletableFuture.supplyAsync(() -> open(rank), task -> new Thread(task).start());
      library.enter();
      stream = library.newStream();
    }

    private long open(int rank) {
      library.enter();
      return library.open("id", 2, rank);
    }

    private long communicator() {
      return opened.join();
    }

    private void group(Runnable... calls) {
      library.enter();
      long ready = library.record(library.computeStream());
      library.await(stream, ready);
      library.closeEvent(ready);
      library.groupStart();
      List.of(calls).forEach(Runnable::run);
      library.groupEnd();
    }

    private Runnable send(int length) {
      NDArray x = TestRanks.numbers(scope, 10, length);
      return () -> library.send(x, other(), communicator(), stream);
    }

    private Runnable receive(NDArray into) {
      return () -> library.receive(into, other(), communicator(), stream);
    }

    private Runnable receive(int length) {
      return receive(TestRanks.numbers(scope, 0, length));
    }

    private int other() {
      return this == first ? 1 : 0;
    }

    private void leave() {
      library.close(communicator());
      library.closeStream(stream);
    }
  }

  @BeforeEach
  void prepare() {
    Torch.prepareThread(1);
  }

  @AfterEach
  void close() {
    scope.close();
  }

  private void leave() {
    first.leave();
    second.leave();
  }

  @Test
  void groupsThatPairArePlayed() {
    NDArray arrived = TestRanks.numbers(scope, 0, 3);
    first.group(first.send(3), first.receive(2));
    assertThat(gpus.stuck()).hasSize(1); // a GPU's stream waits
    second.group(second.send(2), second.receive(arrived));
    assertThat(arrived.toFloatArray()).containsExactly(10, 11, 12);
    leave();
    gpus.check();
  }

  @Test
  void twoRanksThatSendBeforeTheyReceiveAreFoundStuck() {
    for (Rank rank : List.of(first, second)) {
      rank.group(rank.send(4));
      rank.group(rank.receive(4));
    }
    assertThatThrownBy(gpus::check)
        .hasMessageContaining("rank 0 is stuck in [send of 4 float32 to rank 1]")
        .hasMessageContaining("rank 1 is stuck in [send of 4 float32 to rank 0]");
  }

  @Test
  void aSendThatNobodyReceivesIsFoundStuck() {
    first.group(first.send(4));
    assertThatThrownBy(gpus::check)
        .hasMessageContaining("rank 0 is stuck in [send of 4 float32 to rank 1]");
  }

  @Test
  void differentCountsAreFound() {
    first.group(first.send(4));
    second.group(second.receive(5));
    assertThatThrownBy(gpus::check)
        .hasMessageContaining("rank 0 sends 4 float32 to rank 1, which receives 5 float32");
  }

  @Test
  void differentTypesAreFound() {
    NDArray half = Torch.cast(scope, TestRanks.numbers(scope, 0, 4), ElementType.BFLOAT16);
    first.group(first.send(4));
    second.group(second.receive(half));
    assertThatThrownBy(gpus::check)
        .hasMessageContaining("rank 0 sends 4 float32 to rank 1, which receives 4 bfloat16");
  }

  @Test
  void shardsOfDifferentLengthCannotBeGathered() {
    IntConsumer gather =
        length -> {
          Rank rank = length == 3 ? first : second;
          NDArray shard = TestRanks.numbers(scope, 0, length);
          NDArray all = TestRanks.numbers(scope, 0, 2 * length);
          rank.group(() -> rank.library.allGather(shard, all, rank.communicator(), rank.stream));
        };
    IntStream.of(3, 4).forEach(gather);
    assertThatThrownBy(gpus::check)
        .hasMessageContaining("rank 0 gathers 3 float32, but rank 1 4 float32");
  }

  @Test
  void anAllGatherDoesNotMeetASend() {
    NDArray shard = TestRanks.numbers(scope, 0, 2);
    NDArray all = TestRanks.numbers(scope, 0, 4);
    first.group(() -> first.library.allGather(shard, all, first.communicator(), first.stream));
    second.group(second.send(2));
    assertThatThrownBy(gpus::check).hasMessageContaining("rank 0 is stuck in [all-gather");
  }

  @Test
  void aGroupThatDoesNotWaitForWhatItSendsIsFound() {
    first.group(first.send(4));
    second.group(second.receive(4));
    second.library.groupStart();
    second.send(1).run();
    second.library.groupEnd();
    first.group(first.receive(1));
    leave();
    assertThatThrownBy(gpus::check)
        .hasMessageContaining("a group that does not wait for what is computed before it");
  }

  @Test
  void whatIsNotReleasedIsFound() {
    first.library.enter();
    long event = first.library.record(first.stream);
    leave();
    assertThatThrownBy(gpus::check).hasMessageContaining("open events");
    first.library.closeEvent(event);
    gpus.check();
  }

  @Test
  void workOfAnotherRanksThreadIsFound() {
    // the second rank was the last that made its GPU this thread's
    long event = first.library.record(first.stream);
    first.library.closeEvent(event);
    leave();
    assertThatThrownBy(gpus::check)
        .hasMessageContaining("rank 0 has not made its GPU the thread's");
  }
}
