package io.xfuser.internal.parallel.nccl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDManager;
import io.xfuser.failure.CancelledException;
import io.xfuser.failure.CommunicationException;
import io.xfuser.failure.RankException;
import io.xfuser.internal.parallel.Channel;
import io.xfuser.internal.parallel.Communicator;
import io.xfuser.internal.parallel.ForwardingTransport;
import io.xfuser.internal.parallel.TestRanks;
import io.xfuser.internal.parallel.Transport;
import io.xfuser.internal.parallel.World;
import io.xfuser.internal.parallel.inprocess.InProcessRanks;
import io.xfuser.torchscript.Torch;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Calls of NCCL's that do not return are ended by another thread. */
class WatchdogTest {
  private static final Duration LONG = Duration.ofSeconds(50);
  private static final Duration SHORT = Duration.ofMillis(300);

  private final NcclSimulation gpus = new NcclSimulation(false);

  private interface Body {
    void run(World world) throws Exception;
  }

  private void run(Duration limit, Body body) throws Exception {
    InProcessRanks ranks = new InProcessRanks(2, LONG);
    TestRanks.together(
        2,
        rank -> {
          Torch.prepareThread(1);
          try (World world = NcclWorld.over(ranks.transport(rank), gpus.library(rank), limit)) {
            body.run(world);
          }
          return true;
        });
    gpus.check();
  }

  private static void rotate(World world) {
    Communicator ring = world.group(Channel.RING, List.of(0, 1));
    try (NDManager scope = Torch.newManager()) {
      ring.rotate(List.of(TestRanks.numbers(scope, 0, 3))).await(scope);
    }
  }

  @Test
  void aCallThatBlocksEndsAtTheLimitAndTheOtherRankIsToldWhatItWaitedFor() throws Exception {
    gpus.block(0);
    run(
        SHORT,
        world -> {
          world.transport().begin();
          assertThatThrownBy(
                  () -> {
                    rotate(world);
                    world.group(Channel.WORLD, List.of(0, 1)).barrier();
                  })
              .isInstanceOfAny(RankException.class, CommunicationException.class)
              .hasMessageContaining("waited 0.3 s for rank");
        });
  }

  @Test
  void aCallThatBlocksEndsWithTheRequest() throws Exception {
    gpus.block(0);
    run(
        LONG,
        world -> {
          world.transport().begin();
          Thread caller = new Thread(() -> cancelLater(world));
          caller.start();
          assertThatThrownBy(
                  () -> {
                    rotate(world);
                    world.group(Channel.WORLD, List.of(0, 1)).barrier();
                  })
              .isExactlyInstanceOf(CancelledException.class);
          caller.join();
        });
  }

  private static void cancelLater(World world) {
    try {
      Thread.sleep(300);
    } catch (InterruptedException e) {
      return;
    }
    if (world.rank() == 1) {
      world.transport().cancel("enough");
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void aClosingThatBlocksIsAbortedAtTheLimitOrWithTheRequest(boolean cancel) throws Exception {
    CyclicBarrier together = new CyclicBarrier(2);
    CyclicBarrier exchanged = new CyclicBarrier(2, () -> gpus.block(0));
    long began = System.nanoTime();
    run(
        cancel ? LONG : Duration.ofMillis(1500), // in which both must have rotated
        world -> {
          together.await();
          rotate(world);
          exchanged.await();
          if (cancel) {
            new Thread(() -> cancelLater(world)).start();
          }
        });
    assertThat(Duration.ofNanos(System.nanoTime() - began)).isLessThan(Duration.ofSeconds(20));
  }

  @Test
  void whatOpensAfterItsWorldWasClosedIsAborted() throws Exception {
    NcclLibrary first = gpus.library(0);
    CountDownLatch waits = new CountDownLatch(1);
    Transport alone =
        new ForwardingTransport(new InProcessRanks(2, LONG).transport(0)) {
          @Override
          public void check() {
            waits.countDown(); // as who opens does
          }
        };
    NcclTransport ranks = new NcclTransport(alone, first, LONG);
    first.enter();
    NcclTransport.Lane lane = new NcclTransport.Lane(first.newStream(), 0);
    NcclCommunicator.Peers peers = new NcclCommunicator.Peers(List.of(0, 1), 0);
    CompletableFuture<NcclCommunicator> opening =
        CompletableFuture.supplyAsync(() -> ranks.open("ring opening", peers, "id", lane));
    waits.await();
    ranks.close();
    NcclLibrary second = gpus.library(1);
    second.enter();
    second.abort(second.open("id", 2, 1));
    assertThatThrownBy(() -> opening.get(20, TimeUnit.SECONDS))
        .hasRootCauseInstanceOf(CommunicationException.class)
        .hasRootCauseMessage("the request is over");
    first.closeStream(lane.stream());
    gpus.awaitClosed();
    gpus.check();
  }

  @Test
  void anOpeningToWhichARankNeverComesIsGivenUpAndWhatItBringsLaterIsAborted() throws Exception {
    NcclCommunicator.Peers peers = new NcclCommunicator.Peers(List.of(0, 1), 0);
    Opening alone = new Opening(gpus.library(0), peers, SHORT, () -> {});
    assertThatThrownBy(() -> alone.await("id", "ring opening"))
        .isExactlyInstanceOf(CommunicationException.class)
        .hasMessage("rank 0 waited 0.3 s for rank 1 in ring opening");
    Opening cancelled =
        new Opening(
            gpus.library(0),
            peers,
            LONG,
            () -> {
              throw new CancelledException("enough");
            });
    assertThatThrownBy(() -> cancelled.await("another id", "ring opening")).hasMessage("enough");
    NcclLibrary second = gpus.library(1); // comes after all
    second.enter();
    second.abort(second.open("id", 2, 1));
    gpus.awaitClosed();
    gpus.check();
  }
}
