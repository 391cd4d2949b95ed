package io.xfuser.models.contract;

import io.xfuser.config.ParallelConfig;
import io.xfuser.models.contract.ParallelContract.Layout;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** Layouts of up to 8 ranks in which every rank computes a patch of its own. */
final class DistriFusionLayouts {
  private static final ParallelConfig SERIAL = ParallelConfig.serial();

  private DistriFusionLayouts() {}

  /** Two ranks with every number of warm-up steps, and more ranks. */
  static Stream<Layout> alone() {
    return Stream.concat(
        IntStream.rangeClosed(0, ParallelContract.STEPS)
            .mapToObj(warmup -> new Layout(SERIAL.withDistrifusion(2), warmup)),
        Stream.of(
            new Layout(SERIAL.withDistrifusion(3), 1),
            new Layout(SERIAL.withDistrifusion(5), 2),
            new Layout(SERIAL.withDistrifusion(8), 0)));
  }

  /** With each other axis, and with several of them; the last one is the reference's attention. */
  static Stream<Layout> hybrids() {
    ParallelConfig two = SERIAL.withDistrifusion(2);
    ParallelConfig three = SERIAL.withDistrifusion(3);
    int[] turn = {0};
    return Stream.of(
            two.withUlysses(2),
            three.withUlysses(2),
            two.withUlysses(4),
            three.withRing(2),
            two.withRing(3),
            three.withCfg(2),
            three.withData(2),
            two.withTensor(3),
            three.withTensor(2),
            two.withUlysses(2).withRing(2),
            two.withRing(2).withCfg(2),
            two.withTensor(2).withUlysses(2),
            two.withTensor(2).withRing(2),
            two.withCfg(2).withData(2),
            two.withUlysses(2).withData(2),
            SERIAL.withDistrifusionPatches(3).withUlysses(2).withRing(2))
        .map(degrees -> new Layout(degrees, turn[0]++ % ParallelContract.STEPS));
  }
}
