package io.xfuser.internal.weights;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.NDManager;
import io.xfuser.internal.plan.LayerTimes;
import io.xfuser.testing.Tries;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.TensorMap;
import io.xfuser.torchscript.Torch;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/**
 * The size from which on reading hides, predicted and measured. Emulated: computing and reading are
 * sleeps of the lengths that a machine of so many FLOP/s and bytes/s would take.
 */
class CriticalSizeTest {
  private static final int DEPTH = 6;
  private static final double FLOPS_PER_S = 100e9;
  private static final double BYTES_PER_S = 1e9;

  /** As wide as a block of PixArt (1152) in fp32, and with a fifth of its weights: 17 ms. */
  private static final LayerTimes LAYER = new LayerTimes(8.4e6, 4 * 1152, 16.8e6);

  @Test
  void thePredictionIsTheSizeFromWhichOnNothingIsWaitedForEmulated() {
    Torch.prepareThread(1);
    double predicted = LAYER.criticalTokens(FLOPS_PER_S / BYTES_PER_S);
    assertThat(LAYER.flops(predicted) / FLOPS_PER_S)
        .isEqualTo(LAYER.bytes() / BYTES_PER_S, within(1e-9));
    double measured = 0;
    for (Tries tries = new Tries(); tries.goOn(); ) {
      measured = measured();
      if (Math.abs(measured / predicted - 1) <= 0.1) {
        break;
      }
    }
    assertThat(measured).isCloseTo(predicted, within(0.1 * predicted));
  }

  /** By halving the distance between a size that waits and one that does not. */
  private static double measured() {
    double waits = 1;
    double hides = 400;
    while (hides - waits > 8) {
      double tokens = (waits + hides) / 2;
      if (waited(tokens) > 0.06 * LAYER.bytes() / BYTES_PER_S) {
        waits = tokens;
      } else {
        hides = tokens;
      }
    }
    return hides;
  }

  /** Seconds that a layer is waited for, the first one aside. */
  private static double waited(double tokens) {
    List<TensorMap> layers = IntStream.range(0, DEPTH).mapToObj(i -> layer()).toList();
    try (Prefetcher prefetcher = new Prefetcher(1 << 20);
        Ahead ahead = prefetcher.along(layers)) {
      ReadAhead before = ReadAhead.NONE;
      for (int i = 0; i < DEPTH; i++) {
        TensorMap.Hold used = ahead.use(i, DEPTH);
        try (used) {
          before = i == 0 ? prefetcher.tally() : before;
          sleep(LAYER.flops(tokens) / FLOPS_PER_S);
        }
      }
      return prefetcher.tally().since(before).waitNanos() / 1e9 / (DEPTH - 1);
    }
  }

  private static TensorMap layer() {
    try (NDManager scope = Torch.newManager()) {
      TensorMap outline = TensorMap.of(Map.of("x", Torch.empty(scope, ElementType.FLOAT32, 1)));
      return TensorMap.later(
          outline,
          () -> {
            sleep(LAYER.bytes() / BYTES_PER_S);
            try (NDManager made = Torch.newManager()) {
              return TensorMap.of(Map.of("x", Torch.empty(made, ElementType.FLOAT32, 1)));
            }
          });
    }
  }

  private static void sleep(double seconds) {
    try {
      TimeUnit.NANOSECONDS.sleep(Math.round(seconds * 1e9));
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }
}
