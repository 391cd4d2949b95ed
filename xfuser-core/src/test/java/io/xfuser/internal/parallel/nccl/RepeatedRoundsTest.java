package io.xfuser.internal.parallel.nccl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.failure.CancelledException;
import io.xfuser.failure.CommunicationException;
import io.xfuser.failure.RankException;
import io.xfuser.internal.parallel.Channel;
import io.xfuser.internal.parallel.Communicator;
import io.xfuser.internal.parallel.Communicator.Split;
import io.xfuser.internal.parallel.Pending;
import io.xfuser.internal.parallel.TestRanks;
import io.xfuser.internal.parallel.World;
import io.xfuser.torchscript.Torch;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Rounds that are announced once, in steps that repeat them; and ranks that do not agree. */
@Timeout(value = 300, unit = TimeUnit.SECONDS)
class RepeatedRoundsTest {
  private static List<Integer> everyone(World world) {
    return IntStream.range(0, world.size()).boxed().toList();
  }

  /** All-to-all by rows: rank r has r + {@code more} rows of n columns, a column for each rank. */
  private static void trade(NDManager scope, Communicator ranks, int more, float value) {
    int size = ranks.size();
    long rows = (long) ranks.rank() + more;
    NDArray own = // (r + more, n), its column p says for whom it is
        Torch.view(
            scope,
            TestRanks.numbers(scope, 100 * ranks.rank() + value, Math.toIntExact(rows * size)),
            rows,
            size);
    NDArray all = ranks.allToAll(scope, own, Split.even(1, size, size), 0); // (sum of rows, 1)
    long row = 0;
    for (int from = 0; from < Math.min(size, 4); from++) { // looking costs more than trading
      for (int i = 0; i < from + more; i++) {
        assertThat(all.getFloat(row++, 0)).isEqualTo(100 * from + value + i * size + ranks.rank());
      }
    }
    assertThat(all.getShape().get(0)).isEqualTo(size * more + size * (size - 1) / 2);
  }

  @Test
  void ulyssesRanksCompareTheirRoundsAFewTimesAStep() throws Exception {
    assertMessages(4, 24, 4); // 2 comparisons of 72 rounds
  }

  @Tag("complete")
  @Test
  void fluxOnEightUlyssesRanksNeedsNoTenMessagesAStep() throws Exception {
    assertMessages(8, 57, 6); // 3 comparisons of 171 rounds
  }

  /** Of a rank in a step that is played again; in the first each round is announced. */
  private static void assertMessages(int size, int blocks, int again) throws Exception {
    NcclSimulation gpus = new NcclSimulation(false);
    CountedRanks.run(
        size,
        gpus,
        (world, host) -> {
          Communicator ulysses = world.group(Channel.ULYSSES, everyone(world));
          world.transport().begin();
          for (int step = 0; step < 2; step++) {
            int before = host.sent.get();
            world.transport().step("1");
            for (int block = 0; block < blocks; block++) {
              if (step == 1 && block == 9 && world.rank() == 0) {
                Thread.sleep(500); // others tell early, as under load: that is not counted
              }
              try (NDManager scope = Torch.newManager()) {
                trade(scope, ulysses, 1, step + block); // queries, keys and values
                NDArray text = TestRanks.numbers(scope, world.rank() + step, 2);
                Pending texts = ulysses.startAllGather(text);
                trade(scope, ulysses, 2, step); // outputs
                assertThat(texts.await(scope).get(size - 1).getFloat(0))
                    .isEqualTo(size - 1f + step);
              }
            }
            world.transport().step(null);
            int messages = 2 * (host.sent.get() - before); // as many are received
            if (step == 0) {
              assertThat(messages).isGreaterThanOrEqualTo(3 * blocks * 2 * (size - 1));
            } else {
              assertThat(messages).isEqualTo(again);
            }
          }
        });
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 3})
  void anyOrderOfUnevenRoundsBringsWhatWasSent(long seed) throws Exception {
    play(seed);
  }

  @Tag("complete")
  @ParameterizedTest
  @ValueSource(longs = {2, 4, 5})
  void otherOrdersOfUnevenRoundsDoSoToo(long seed) throws Exception {
    play(seed);
  }

  /** Random rounds of two kinds of steps, played by ranks that are late by chance. */
  private static void play(long seed) throws Exception {
    Random plan = new Random(seed);
    int size = 2 + plan.nextInt(3);
    List<List<Integer>> kinds =
        IntStream.range(0, 2)
            .mapToObj(kind -> plan.ints(3 + plan.nextInt(20), 0, 12).boxed().toList())
            .toList();
    List<Integer> steps = plan.ints(5, 0, 2).boxed().toList();
    NcclSimulation gpus = new NcclSimulation(true);
    CountedRanks.run(
        size,
        gpus,
        (world, host) -> {
          Random late = new Random(seed * 31 + world.rank());
          Communicator ranks = world.group(Channel.ULYSSES, everyone(world));
          Communicator ring = world.group(Channel.RING, everyone(world));
          world.transport().begin();
          for (int step = 0; step < steps.size(); step++) {
            int kind = steps.get(step);
            world.transport().step("kind " + kind);
            for (int round : kinds.get(kind)) {
              if (late.nextInt(20) == 0) {
                Thread.sleep(late.nextInt(3));
              }
              try (NDManager scope = Torch.newManager()) {
                if (round % 4 == 3) { // lengths go round, as keys and values do
                  around(scope, ring, round, step);
                } else {
                  trade(scope, ranks, round % 4, round + step);
                }
              }
            }
          }
          world.transport().step(null);
        });
  }

  /** A ring of uneven parts: rank r sends lengths that others have sent before. */
  private static void around(NDManager scope, Communicator ring, int round, int step) {
    int size = ring.size();
    NDArray part = TestRanks.numbers(scope, ring.rank() * 10 + step, 1 + (ring.rank() + round) % 3);
    for (int hop = 1; hop < size; hop++) {
      part = ring.rotate(List.of(part)).await(scope).singletonOrThrow();
      int owner = Math.floorMod(ring.rank() - hop, size);
      assertThat(part.getFloat(0)).isEqualTo(owner * 10f + step);
      assertThat(part.size()).isEqualTo(1 + (owner + round) % 3);
    }
  }

  /** Six rounds; {@code odd} plays another one as its {@code at}th. */
  private static void step(World world, int at, int odd) {
    Communicator ranks = world.group(Channel.ULYSSES, everyone(world));
    world.transport().step("1");
    for (int round = 0; round < 6; round++) {
      try (NDManager scope = Torch.newManager()) {
        boolean differs = round == at && world.rank() == odd;
        if (round % 3 == 2) {
          var unused = ranks.rotate(List.of(TestRanks.numbers(scope, 0, differs ? 4 : 3)));
        } else {
          int rows = differs ? 3 : 2;
          NDArray x = Torch.view(scope, TestRanks.numbers(scope, 0, 6 * rows), rows, 6);
          ranks.allToAll(scope, x, Split.even(1, 6, ranks.size()), 0).close();
        }
      }
    }
    world.transport().step(null);
  }

  @Test
  void aRankThatPlaysAnotherRoundThanBeforeFailsTheRequestAndTheNextOneWorks() throws Exception {
    CyclicBarrier together = new CyclicBarrier(3);
    CountedRanks.runOverSockets(
        new NcclSimulation(false),
        (world, host) -> {
          for (int place : new int[] {0, 4, 5}) { // another rank is odd each time
            int at = place;
            int odd = (2 * place + 1) % 3;
            world.transport().begin();
            step(world, -1, odd);
            assertThatThrownBy(
                    () -> {
                      try {
                        step(world, at, odd);
                        world.group(Channel.WORLD, everyone(world)).barrier(); // as reports do
                      } catch (CommunicationException e) {
                        world.transport().fail(e);
                        throw e;
                      }
                    })
                .as("round %d of rank %d", at, odd)
                .isInstanceOfAny(CommunicationException.class, RankException.class)
                .hasMessageContaining("play different rounds");
            together.await();
          }
          world.transport().begin();
          step(world, -1, 0);
          step(world, -1, 0);
        });
  }

  @Test
  void ranksThatRepeatDifferentStepsAreFoundWhenTheStepEnds() throws Exception {
    NcclSimulation gpus = new NcclSimulation(false);
    CountedRanks.run(
        2,
        gpus,
        (world, host) -> {
          Communicator ranks = world.group(Channel.ULYSSES, everyone(world));
          world.transport().begin();
          for (String kind : List.of("a", "b")) {
            world.transport().step(kind);
            rotate(ranks);
          }
          world.transport().step(world.rank() == 0 ? "a" : "b");
          rotate(ranks); // fits by chance
          assertThatThrownBy(() -> world.transport().step(null))
              .hasMessageContaining(
                  "ranks %d and %d play different rounds", world.rank(), 1 - world.rank());
        });
  }

  private static void rotate(Communicator ranks) {
    try (NDManager scope = Torch.newManager()) {
      ranks.rotate(List.of(TestRanks.numbers(scope, 0, 3))).await(scope);
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void aRequestThatEndsAnywhereIsOverOnAllRanksAndTheNextOneAnnouncesAnew(boolean cancel)
      throws Exception {
    CyclicBarrier together = new CyclicBarrier(3);
    CountedRanks.runOverSockets(
        new NcclSimulation(true),
        (world, host) -> {
          Communicator ranks = world.group(Channel.ULYSSES, everyone(world));
          for (int last : new int[] {0, 5, 7, 9}) {
            world.transport().begin();
            assertThatThrownBy(() -> rounds(world, ranks, last, cancel))
                .as("before round %d", last)
                .isInstanceOfAny(CancelledException.class, RankException.class);
            together.await();
            world.transport().begin();
            int before = host.sent.get();
            rounds(world, ranks, -1, cancel);
            int id = world.rank() == 0 ? 2 : 0; // communicators are opened anew
            assertThat(host.sent.get() - before).isEqualTo(5 * 2 + 1 + 2 + id); // and a barrier
            together.await();
          }
        });
  }

  /** Two steps of five rounds; rank 1 ends the request before the {@code last}. */
  private static void rounds(World world, Communicator ranks, int last, boolean cancel) {
    for (int round = 0; round < 10; round++) {
      if (round % 5 == 0) {
        world.transport().step("1");
      }
      if (round == last && world.rank() == 1) {
        if (cancel) {
          world.transport().cancel("enough");
        } else {
          world.transport().fail(new IllegalStateException("no memory"));
        }
      }
      try (NDManager scope = Torch.newManager()) {
        trade(scope, ranks, 1, round);
      }
    }
    world.transport().step(null);
    world.transport().check();
    world.group(Channel.WORLD, everyone(world)).barrier();
  }
}
