package io.xfuser.internal.weights;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.failure.ModelException;
import io.xfuser.internal.parallel.TestRanks;
import io.xfuser.testing.Tries;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.TensorMap;
import io.xfuser.torchscript.Torch;
import java.util.BitSet;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntConsumer;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Layers that come before they are used and leave after it; reading is played by sleeping. */
class AheadTest {
  private static final int DEPTH = 8;

  private final Prefetcher prefetcher = new Prefetcher(1 << 20);
  private final AtomicInteger readings = new AtomicInteger();
  private final AtomicInteger most = new AtomicInteger(); // layers in memory
  private IntConsumer reading = layer -> {};
  private final List<TensorMap> layers = IntStream.range(0, DEPTH).mapToObj(this::layer).toList();

  @BeforeEach
  void prepare() {
    Torch.prepareThread(1);
  }

  @AfterEach
  void close() {
    prefetcher.close();
  }

  private TensorMap layer(int index) {
    try (NDManager scope = Torch.newManager()) {
      TensorMap outline = TensorMap.of(Map.of("x", Torch.empty(scope, ElementType.FLOAT32, 2)));
      return TensorMap.later(outline, () -> read(index));
    }
  }

  private TensorMap read(int index) {
    ReadPace.keep(8);
    reading.accept(index);
    readings.incrementAndGet();
    try (NDManager scope = Torch.newManager()) {
      NDArray x = Torch.empty(scope, ElementType.FLOAT32, 2);
      return TensorMap.of(Map.of("x", x));
    } finally {
      most.accumulateAndGet(loaded() + 1, Math::max);
    }
  }

  private int loaded() {
    return (int) layers.stream().filter(TensorMap::isLoaded).count();
  }

  private static void sleep(double millis) {
    try {
      TimeUnit.MICROSECONDS.sleep(Math.round(millis * 1000));
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Passes through all layers, each of which is computed in so many milliseconds. */
  private void pass(Ahead ahead, double millis, boolean another) {
    for (int i = 0; i < DEPTH; i++) {
      TensorMap.Hold used = ahead.use(i, DEPTH);
      try (used) {
        assertThat(layers.get(i).isLoaded()).isTrue();
        sleep(millis);
      }
    }
    if (another) {
      ahead.expect(0, DEPTH);
    }
  }

  @Test
  void atMostTwoLayersAreInMemoryAndNoneInTheEnd() {
    try (Ahead ahead = prefetcher.along(layers)) {
      for (int pass = 0; pass < 3; pass++) {
        pass(ahead, 0.1, true);
      }
    }
    prefetcher.close();
    assertThat(most.get()).isLessThanOrEqualTo(2);
    assertThat(loaded()).isZero();
    assertThat(readings.get()).isBetween(3 * DEPTH, 3 * DEPTH + 1); // one was begun for nothing
  }

  @Test
  void whatIsReadIsCountedByWhoAskedFirstAndNothingIsReadThatIsNotExpected() {
    try (Ahead ahead = prefetcher.along(layers)) {
      pass(ahead, 0, false);
    }
    assertThat(readings).hasValue(DEPTH);
    assertThat(prefetcher.tally().bytes()).isEqualTo(8 * DEPTH);
  }

  @Test
  void layersThatStayAreNeverRead() {
    BitSet stay = new BitSet();
    stay.set(0);
    stay.set(4, DEPTH);
    layers.forEach(TensorMap::load);
    IntStream.range(1, 4).forEach(i -> layers.get(i).release());
    readings.set(0);
    try (Ahead ahead = prefetcher.along(layers, stay)) {
      pass(ahead, 0, false);
    }
    assertThat(readings).hasValue(3);
    assertThat(loaded()).isEqualTo(5);
  }

  /** As T_comp ≥ T_read for every layer: 12 ms are computed while 8 ms are read. */
  @Test
  void readingHidesBehindComputing() {
    reading = layer -> sleep(8);
    double exposed = 1;
    for (Tries tries = new Tries(); exposed > 0.2 && tries.goOn(); ) {
      ReadAhead before = prefetcher.tally();
      int earlier = readings.get();
      try (Ahead ahead = prefetcher.along(layers)) {
        pass(ahead, 12, true);
        pass(ahead, 12, false);
      }
      double waited = prefetcher.tally().since(before).waitNanos() / 1e6;
      exposed = waited / (8.0 * (readings.get() - earlier));
    }
    assertThat(exposed).isLessThanOrEqualTo(0.2); // of which the first layer's is 1 in 16
  }

  /** Ranks that are together have a layer read once, whoever is a little ahead. */
  @Test
  void ranksThatAreTogetherReadOnce() throws Exception {
    reading = layer -> sleep(2);
    CyclicBarrier together = new CyclicBarrier(3);
    List<Long> bytes =
        TestRanks.together(
            3,
            rank -> {
              try (Ahead ahead = prefetcher.along(layers)) {
                for (int i = 0; i < DEPTH; i++) {
                  TensorMap.Hold used = ahead.use(i, DEPTH);
                  try (used) {
                    sleep(rank);
                    together.await(9, TimeUnit.SECONDS); // as in an all-to-all
                    assertThat(layers.get(i).isLoaded()).isTrue();
                  }
                }
              }
              return prefetcher.tally().bytes();
            });
    assertThat(readings).hasValue(DEPTH);
    assertThat(bytes.stream().mapToLong(b -> b).sum()).isEqualTo(8 * DEPTH);
    assertThat(loaded()).isZero();
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 4})
  void ranksOfAnySpeedGetWhatTheyNeed(int ranks) throws Exception {
    List<Boolean> done =
        TestRanks.together(
            ranks,
            rank -> {
              try (Ahead ahead = prefetcher.along(layers)) {
                for (int pass = 0; pass < 5 - rank; pass++) {
                  pass(ahead, 0.3 * rank, pass + 1 < 5 - rank);
                }
              }
              return true;
            });
    assertThat(done).containsOnly(true);
    assertThat(most.get()).isLessThanOrEqualTo(2 * ranks);
    prefetcher.close();
    assertThat(loaded()).isZero();
  }

  @Test
  void readingAheadPausesInACollectiveUnlessSomebodyWaitsForIt() throws Exception {
    CountDownLatch read = new CountDownLatch(2);
    reading = layer -> read.countDown();
    Collectives collectives = prefetcher.collectives();
    try (Ahead ahead = prefetcher.along(layers)) {
      collectives.begin();
      TensorMap.Hold first = ahead.use(0, DEPTH); // is read: this thread waits for it
      assertThat(read.await(50, TimeUnit.MILLISECONDS)).isFalse(); // the second is not
      assertThat(loaded()).isEqualTo(1);
      first.close();
      ahead.use(1, 2).close(); // now it is waited for
      assertThat(readings).hasValue(2);
      ahead.expect(2, DEPTH);
      collectives.end();
      ahead.use(2, 3).close();
      assertThat(readings).hasValue(3);
    }
  }

  @Test
  void aFailureReachesWhoNeedsTheLayerAndTheNextPassWorks() {
    reading =
        layer -> {
          if (layer == 3) {
            throw new ModelException("file f was changed while it was in use");
          }
        };
    try (Ahead ahead = prefetcher.along(layers)) {
      assertThatThrownBy(() -> pass(ahead, 0, false))
          .isInstanceOf(ModelException.class)
          .hasMessage("file f was changed while it was in use");
    }
    assertThat(loaded()).isZero();
    reading = layer -> {};
    try (Ahead ahead = prefetcher.along(layers)) {
      pass(ahead, 0, false);
    }
  }

  @Test
  void whatNobodyNeedsAnyMoreIsLeftBetweenTwoChunks() throws Exception {
    CountDownLatch begun = new CountDownLatch(1);
    AtomicInteger chunks = new AtomicInteger();
    reading =
        layer -> {
          begun.countDown();
          for (int chunk = 0; chunk < 1000; chunk++) {
            ReadPace.keep(1);
            chunks.incrementAndGet();
            sleep(1);
          }
        };
    try (Ahead ahead = prefetcher.along(layers)) {
      ahead.expect(0, DEPTH);
      assertThat(begun.await(9, TimeUnit.SECONDS)).isTrue();
    }
    prefetcher.close();
    assertThat(chunks.get()).isLessThan(1000);
    assertThat(Collections.singleton(loaded())).containsOnly(0);
  }
}
