package io.xfuser.internal.parallel;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.internal.parallel.inprocess.InProcessRanks;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Torch;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** Numbers of 32 bits stand for tensors on a GPU, which are negative there. */
class HostStagingTest {
  private final AtomicInteger copies = new AtomicInteger();

  private final class Mirror implements HostStaging.Side {
    @Override
    public boolean isAway(NDArray tensor) {
      return ElementType.of(tensor) == ElementType.FLOAT32;
    }

    @Override
    public NDArray toHost(NDManager owner, NDArray tensor) {
      return negated(owner, tensor);
    }

    @Override
    public NDArray fromHost(NDManager owner, NDArray tensor) {
      return negated(owner, tensor);
    }

    private NDArray negated(NDManager owner, NDArray tensor) {
      copies.incrementAndGet();
      NDArray negative = tensor.neg();
      negative.attach(owner);
      return negative;
    }
  }

  @Test
  void onlyWhatIsOnTheGpuIsCopiedAndArrivesThereInItsOrder() throws Exception {
    InProcessRanks ranks = new InProcessRanks(2, Duration.ofSeconds(20));
    TestRanks.together(
        2,
        rank -> {
          Torch.prepareThread(1);
          try (World world = new World(new HostStaging(ranks.transport(rank), new Mirror()));
              NDManager scope = Torch.newManager()) {
            Communicator both = TestRanks.all(world);
            int other = 1 - rank;
            NDArray away = TestRanks.numbers(scope, 10 * rank, 2);
            NDArray text = Torch.cast(scope, TestRanks.numbers(scope, 65, 3), ElementType.UINT8);
            both.send(List.of(text, away), other);
            both.send(List.of(), other);
            List<NDArray> arrived = both.receive(other).await(scope);
            assertThat(arrived.get(0).toUint8Array()).containsExactly(65, 66, 67);
            assertThat(arrived.get(1).toFloatArray()).containsExactly(10 * other, 10 * other + 1);
            assertThat(both.receive(other).await(scope)).isEmpty();
            assertThat(both.allGather(scope, away, 0).toFloatArray()).containsExactly(0, 1, 10, 11);
          }
          return true;
        });
    assertThat(copies).hasValue(8); // there and back, of two tensors from each rank
  }
}
