package io.xfuser.internal.attention;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.xfuser.attention.Attention;
import io.xfuser.attention.Qkv;
import io.xfuser.internal.parallel.Channel;
import io.xfuser.internal.parallel.Communicator;
import io.xfuser.internal.parallel.DelayedTransport;
import io.xfuser.internal.parallel.TestRanks;
import io.xfuser.internal.parallel.Transport;
import io.xfuser.internal.parallel.World;
import io.xfuser.internal.parallel.inprocess.InProcessRanks;
import io.xfuser.nn.TokenLayout.PatchSpan;
import io.xfuser.testing.Tries;
import io.xfuser.torchscript.AttentionKernel;
import io.xfuser.torchscript.Torch;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Keys and values travel while the present ones are attended. Attention is quick here; it is slowed
 * down to 50 ms a hop where it is computed, see {@link SlowedRing}.
 */
class RingOverlapTest {
  private static final Duration HOP = Duration.ofMillis(50);
  private static final Duration DELAY = Duration.ofMillis(40);
  private static final int LAYERS = 3;

  /** Of four ranks: of two nothing is hidden but half of what is computed. */
  @Test
  void aDelayShorterThanAHopsComputationCostsNextToNothing() throws Exception {
    assertHidden(4);
  }

  @Tag("complete")
  @Test
  void aDelayOfTwoRanksCostsNextToNothing() throws Exception {
    assertHidden(2);
  }

  private static void assertHidden(int ring) throws Exception {
    long hop = Long.MAX_VALUE;
    double ideal = LAYERS * (ring - 1) * (double) HOP.toMillis(); // each rotation hides one hop
    double undelayed = Double.MAX_VALUE;
    double delayed = Double.MAX_VALUE;
    for (Tries tries = new Tries(); tries.goOn(); ) {
      hop = Math.min(hop, nanosOfAHop());
      double plain = run(ring, hop, UnaryOperator.identity());
      double late = run(ring, hop, x -> new DelayedTransport(x, DELAY));
      if (Math.min(plain, late) < ideal) {
        continue; // a hop was quicker than any before, and not slowed down
      }
      undelayed = Math.min(undelayed, plain);
      delayed = Math.min(delayed, late);
      if (undelayed <= 1.1 * ideal && delayed <= 1.15 * undelayed) {
        break;
      }
    }
    assertThat(undelayed).isLessThan(Double.MAX_VALUE); // else nothing was computed meanwhile
    assertThat(delayed).isLessThanOrEqualTo(1.15 * undelayed);
  }

  /** Milliseconds of the slowest rank for a few attentions. */
  private static double run(int ring, long hop, UnaryOperator<Transport> network) throws Exception {
    InProcessRanks ranks = new InProcessRanks(ring, Duration.ofSeconds(60));
    List<Double> times =
        TestRanks.together(
            ring,
            rank -> {
              Torch.prepareThread(1);
              try (World world = new World(network.apply(ranks.transport(rank)));
                  NDManager manager = Torch.newManager()) {
                List<Integer> all = IntStream.range(0, ring).boxed().toList();
                Communicator group = world.group(Channel.RING, all);
                Attention attention =
                    new RingAttention(new SlowedRing(group, hop / 2, HOP), AttentionKernel.FASTEST);
                Qkv qkv = qkv(manager);
                group.barrier();
                long start = System.nanoTime();
                for (int layer = 0; layer < LAYERS; layer++) {
                  try (NDManager scope = manager.newSubManager()) {
                    attention.attend(scope, qkv);
                  }
                }
                double took = (System.nanoTime() - start) / 1e6;
                group.barrier();
                return took;
              }
            });
    return Collections.max(times);
  }

  private static long nanosOfAHop() throws Exception {
    return TestRanks.together(
            1,
            rank -> {
              Torch.prepareThread(1);
              long least = Long.MAX_VALUE;
              try (NDManager manager = Torch.newManager()) {
                Qkv qkv = qkv(manager);
                for (int attempt = 0; attempt < 200; attempt++) { // some in a quiet moment
                  long start = System.nanoTime();
                  new LocalAttention().attend(manager, qkv);
                  least = Math.min(least, System.nanoTime() - start);
                }
              }
              return least;
            })
        .get(0);
  }

  private static Qkv qkv(NDManager manager) {
    return new Qkv(manager.ones(new Shape(1, 192, 3, 4, 32)), new PatchSpan(0, 1));
  }
}
