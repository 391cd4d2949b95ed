package io.xfuser.internal.attention;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.xfuser.attention.Qkv;
import io.xfuser.internal.parallel.Channel;
import io.xfuser.internal.parallel.Communicator;
import io.xfuser.internal.parallel.TestRanks;
import io.xfuser.nn.TokenLayout.PatchSpan;
import io.xfuser.testing.Pixels;
import io.xfuser.torchscript.AttentionKernel;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Torch;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Keys and values of which only the changes are sent, in few bits. */
class ResidualsTest {
  private static final int TOKENS = 5; // times 2·3·5 channels: no whole number of bytes
  private static final Shape SHAPE = new Shape(2, TOKENS, 2, 3, 5);
  private static final int SIZE = (int) SHAPE.size();

  private static float[] numbers(int seed, double size) {
    Random random = new Random(seed);
    float[] all = new float[SIZE];
    for (int i = 0; i < SIZE; i++) {
      all[i] = (float) (size * random.nextGaussian());
    }
    return all;
  }

  private static NDArray tensor(NDManager owner, float[] values) {
    try (NDManager scope = owner.newSubManager()) {
      return Torch.copy(owner, scope.create(values, SHAPE));
    }
  }

  private static double mean(float[] x, float[] y) {
    double sum = 0;
    for (int i = 0; i < SIZE; i++) {
      sum += Math.abs(x[i] - y[i]);
    }
    return sum / SIZE;
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 4})
  void aMessageIsThatManyBitsAndWhatAllDecodeAlike(int bits) {
    try (NDManager request = Torch.newManager()) {
      Residuals sender = new Residuals(request, bits, 1);
      Residuals receiver = new Residuals(request, bits, 1);
      Residuals other = new Residuals(request, bits, 1);
      for (int step = 0; step < 4; step++) {
        NDArray kv = tensor(request, numbers(step, 1));
        List<NDArray> message = sender.of(request, kv, 0);
        long bytes = message.stream().mapToLong(ElementType::bytesOf).sum();
        long codes = (TOKENS * 30L * bits + 7) / 8;
        assertThat(bytes).isEqualTo(step == 0 ? SIZE * 4L : 2 * (codes + 2 * (TOKENS + 30)));
        NDArray read = receiver.read(request, message, 0);
        assertThat(read.toFloatArray())
            .containsExactly(other.read(request, message, 0).toFloatArray());
      }
    }
  }

  /**
   * An element that stays where it is comes nearer with each message: what was left out is sent.
   */
  @ParameterizedTest
  @ValueSource(ints = {1, 2, 4})
  void whatAMessageLeavesOutIsInTheNextOnes(int bits) {
    try (NDManager request = Torch.newManager()) {
      Residuals sender = new Residuals(request, bits, 1);
      Residuals receiver = new Residuals(request, bits, 1);
      receiver.read(request, sender.of(request, tensor(request, numbers(1, 1)), 0), 0);
      float[] still = numbers(2, 1);
      List<Double> left = new ArrayList<>();
      for (int step = 0; step < 8; step++) {
        List<NDArray> message = sender.of(request, tensor(request, still), 0);
        left.add(mean(receiver.read(request, message, 0).toFloatArray(), still));
      }
      assertThat(left.get(0)).isLessThan(bits == 1 ? 0.7 : bits == 2 ? 0.4 : 0.15);
      assertThat(left.get(7)).isLessThan(0.1 * left.get(0));
    }
  }

  @Test
  void whatDoesNotChangeIsToldExactly() {
    try (NDManager request = Torch.newManager()) {
      Residuals sender = new Residuals(request, 1, 1);
      float[] still = numbers(3, 1);
      for (int step = 0; step < 3; step++) {
        NDArray kv = tensor(request, still);
        float[] read = sender.read(request, sender.of(request, kv, 1), 0).toFloatArray();
        assertThat(mean(read, still)).isLessThan(1e-20);
      }
    }
  }

  /** The whole in the first two calls, then less than a quarter of it. */
  @ParameterizedTest
  @EnumSource(TestRanks.class)
  void ranksOfARingAttendWhatTheyAreTold(TestRanks backend) throws Exception {
    int size = 3;
    List<Double> worst =
        backend.run(
            size,
            world -> {
              try (NDManager request = Torch.newManager()) {
                Communicator ring = world.group(Channel.RING, List.of(0, 1, 2));
                var exact = new RingAttention(ring, AttentionKernel.FASTEST);
                var compact = RingAttention.compact(request, ring, AttentionKernel.FASTEST, 4, 2);
                double most = 0;
                long before = 0;
                for (int step = 0; step < 6; step++) {
                  NDArray packed = packed(request, world.rank(), step);
                  Qkv qkv = new Qkv(packed, new PatchSpan(0, 1));
                  NDArray expected = exact.attend(request, qkv);
                  long whole = world.counter().sent(Channel.RING) - before;
                  NDArray found = compact.attend(request, qkv);
                  long sent = world.counter().sent(Channel.RING) - before - whole;
                  before = world.counter().sent(Channel.RING);
                  double difference = Pixels.largestDifference(found, expected);
                  if (step < 2) {
                    assertThat(sent).isEqualTo(whole);
                    assertThat(difference).isZero();
                  } else {
                    assertThat(sent).isLessThan(whole / 4);
                    assertThat(difference).isPositive();
                  }
                  most = Math.max(most, difference);
                }
                assertThat(compact.bufferBytes()).isEqualTo(4L * size * SIZE);
                return most;
              }
            });
    assertThat(worst).allMatch(each -> each < 0.02);
  }

  /** (2, l, 3, 3, 5) that changes a little from step to step. */
  private static NDArray packed(NDManager owner, int rank, int step) {
    float[] own = numbers(100 + rank, 1);
    float[] moved = numbers(1000 + 10 * rank + step, 0.05);
    float[] all = new float[SIZE / 2 * 3];
    for (int i = 0; i < all.length; i++) {
      all[i] = own[i % SIZE] + moved[i % SIZE];
    }
    try (NDManager scope = owner.newSubManager()) {
      return Torch.copy(owner, scope.create(all, new Shape(2, TOKENS, 3, 3, 5)));
    }
  }
}
