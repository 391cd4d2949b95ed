package io.xfuser.models.contract;

import io.xfuser.config.ParallelConfig;
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
            .mapToObj(
                warmup -> new Layout(SERIAL.toBuilder().distrifusionDegree(2).build(), warmup)),
        Stream.of(
            new Layout(SERIAL.toBuilder().distrifusionDegree(3).build(), 1),
            new Layout(SERIAL.toBuilder().distrifusionDegree(5).build(), 2),
            new Layout(SERIAL.toBuilder().distrifusionDegree(8).build(), 0)));
  }

  /** With each other axis, and with several of them; the last one is the reference's attention. */
  static Stream<Layout> hybrids() {
    ParallelConfig two = SERIAL.toBuilder().distrifusionDegree(2).build();
    ParallelConfig three = SERIAL.toBuilder().distrifusionDegree(3).build();
    int[] turn = {0};
    return Stream.of(
            two.toBuilder().ulyssesDegree(2).build(),
            three.toBuilder().ulyssesDegree(2).build(),
            two.toBuilder().ulyssesDegree(4).build(),
            three.toBuilder().ringDegree(2).build(),
            two.toBuilder().ringDegree(3).build(),
            three.toBuilder().cfgDegree(2).build(),
            three.toBuilder().dataDegree(2).build(),
            two.toBuilder().tensorDegree(3).build(),
            three.toBuilder().tensorDegree(2).build(),
            two.toBuilder().ulyssesDegree(2).ringDegree(2).build(),
            two.toBuilder().ringDegree(2).cfgDegree(2).build(),
            two.toBuilder().tensorDegree(2).ulyssesDegree(2).build(),
            two.toBuilder().tensorDegree(2).ringDegree(2).build(),
            two.toBuilder().cfgDegree(2).dataDegree(2).build(),
            two.toBuilder().ulyssesDegree(2).dataDegree(2).build(),
            SERIAL.toBuilder().numDistrifusionPatch(3).ulyssesDegree(2).ringDegree(2).build())
        .map(degrees -> new Layout(degrees, turn[0]++ % ParallelContract.STEPS));
  }
}
