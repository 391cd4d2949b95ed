package io.xfuser.internal.trace;

import static org.assertj.core.api.Assertions.assertThat;

import io.xfuser.internal.parallel.Channel;
import io.xfuser.internal.trace.ClockReadings.Offset;
import io.xfuser.trace.RunTrace;
import io.xfuser.trace.TraceEvent;
import io.xfuser.trace.TraceEvent.Activity;
import io.xfuser.trace.TraceEvent.MicroStep;
import java.util.List;
import java.util.Random;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

class ClockReadingsTest {
  private static final int BARRIERS = 16;

  @Test
  void theDistanceOfTwoClocksIsFoundWithinTheErrorThatIsStated() {
    Random random = new Random(7);
    for (int attempt = 0; attempt < 1000; attempt++) {
      long ahead = 1_000_000_000L + random.nextInt(1_000_000_000);
      long[][] near = new long[2][BARRIERS];
      long[][] far = new long[2][BARRIERS];
      long now = 0;
      for (int i = 0; i < BARRIERS; i++) {
        near[0][i] = now + random.nextInt(10_000);
        far[0][i] = now + random.nextInt(10_000);
        long all = Math.max(near[0][i], far[0][i]); // nobody leaves before all have entered
        near[1][i] = all + 1 + random.nextInt(30_000);
        far[1][i] = all + 1 + random.nextInt(30_000);
        now = Math.max(near[1][i], far[1][i]);
      }
      Offset found = readings("2@b", far, ahead).minus(readings("1@a", near, 0));
      assertThat(Math.abs(found.nanos() - ahead)).isLessThanOrEqualTo(found.error());
      assertThat(found.error()).isLessThan(20_000);
    }
  }

  @Test
  void clocksThatMayBeOneAreTakenForOne() {
    long[][] times = {{0, 100}, {40, 150}};
    assertThat(readings("2@a", times, 30).minus(readings("1@a", times, 0)))
        .isEqualTo(new Offset(0, 70));
    assertThat(readings("1@a", times, 30).minus(readings("1@a", times, 0)))
        .isEqualTo(new Offset(0, 0));
  }

  @Test
  void timesAreThoseOfTheFirstRanksClockFromTheFirstEventOn() {
    long[][] times = {{0, 100}, {10, 110}};
    RunTrace trace =
        RankEvents.together(
            List.of(
                new RankEvents("a", readings("1@a", times, 0), List.of(event(5_000))),
                new RankEvents("b", readings("1@b", times, 900), List.of(event(3_900)))));
    assertThat(trace.ranks().get(0).events()).containsExactly(event(2_000));
    assertThat(trace.ranks().get(1).events()).containsExactly(event(0));
    assertThat(trace.ranks().get(1).clockError()).isEqualTo(10);
    assertThat(trace.nanos()).isEqualTo(2_070);
  }

  private static TraceEvent event(long start) {
    TraceEvent.Message message = new TraceEvent.Message(Channel.CFG, "send", 1, 8, 0);
    return new TraceEvent(Activity.SEND, start, 70, new MicroStep(1, 0, 1, 4), message);
  }

  private static ClockReadings readings(String process, long[][] times, long ahead) {
    return new ClockReadings(process, shifted(times[0], ahead), shifted(times[1], ahead));
  }

  private static List<Long> shifted(long[] times, long ahead) {
    return LongStream.of(times).map(time -> time + ahead).boxed().toList();
  }
}
