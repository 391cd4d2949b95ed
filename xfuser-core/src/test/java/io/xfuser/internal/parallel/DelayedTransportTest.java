package io.xfuser.internal.parallel;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.internal.parallel.inprocess.InProcessRanks;
import io.xfuser.torchscript.Torch;
import java.time.Duration;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class DelayedTransportTest {
  private static final long DELAY = 400; // ms
  private static final int MESSAGES = 8;

  @Test
  void messagesArriveLaterInOrderAndTheSenderDoesNotWait() throws Exception {
    InProcessRanks ranks = new InProcessRanks(2, Duration.ofSeconds(20));
    TestRanks.together(
        2,
        rank -> {
          Torch.prepareThread(1);
          try (World world =
                  new World(new DelayedTransport(ranks.transport(rank), Duration.ofMillis(DELAY)));
              NDManager scope = Torch.newManager()) {
            Communicator ring = world.group(Channel.RING, List.of(0, 1));
            List<NDArray> numbers =
                IntStream.range(0, MESSAGES).mapToObj(i -> scope.create((float) i)).toList();
            long start = System.nanoTime();
            ring.barrier();
            long met = System.nanoTime();
            numbers.forEach(x -> ring.send(List.of(x), 1 - rank));
            assertThat(millisSince(met)).isLessThan(DELAY * MESSAGES / 2);
            for (int i = 0; i < MESSAGES; i++) {
              assertThat(ring.receive(1 - rank).await(scope).get(0).getFloat()).isEqualTo(i);
            }
            // the other sends only after this one's barrier message has reached it: two delays
            assertThat(millisSince(start)).isGreaterThanOrEqualTo(2 * DELAY);
            // one after the other they would take a delay each
            assertThat(millisSince(met)).isLessThan(DELAY * MESSAGES);
          }
          return true;
        });
  }

  private static long millisSince(long start) {
    return (System.nanoTime() - start) / 1_000_000;
  }
}
