package io.xfuser.parallel;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.parallel.inprocess.InProcessRanks;
import io.xfuser.torchscript.Torch;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

class DelayedTransportTest {
  @Test
  void messagesArriveLaterInOrderAndTheSenderDoesNotWait() throws Exception {
    long[] starts = new long[2];
    InProcessRanks ranks = new InProcessRanks(2, Duration.ofSeconds(10));
    TestRanks.together(
        2,
        rank -> {
          Torch.prepareThread(1);
          try (World world =
                  new World(new DelayedTransport(ranks.transport(rank), Duration.ofMillis(400)));
              NDManager scope = Torch.newManager()) {
            Communicator ring = world.group(Channel.RING, List.of(0, 1));
            List<NDArray> numbers = List.of(scope.create(0f), scope.create(1f), scope.create(2f));
            ring.barrier();
            starts[rank] = System.nanoTime();
            ring.barrier();
            long start = System.nanoTime();
            for (int i = 0; i < 3; i++) {
              ring.send(List.of(numbers.get(i)), 1 - rank);
            }
            assertThat(millisSince(start)).isLessThan(300);
            for (int i = 0; i < 3; i++) {
              assertThat(ring.receive(1 - rank).await(scope).get(0).getFloat()).isEqualTo(i);
            }
            // all three were under way at the same time; the other may have sent before this did
            assertThat(millisSince(starts[1 - rank])).isGreaterThanOrEqualTo(800);
            assertThat(millisSince(start)).isLessThan(1100);
            ring.barrier();
          }
          return true;
        });
  }

  private static long millisSince(long start) {
    return (System.nanoTime() - start) / 1_000_000;
  }
}
