package io.xfuser.serving;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Who is given ranks, by requests of 10 steps that take a second on one rank. */
class SchedulerTest {
  private static final double NEVER = Double.POSITIVE_INFINITY;

  @TempDir Path folder;

  private static StepTimes times() {
    StepTimes times = new StepTimes();
    times.measured("s", 1, 1, 1);
    times.measured("s", 1, 2, 0.6);
    times.measured("s", 1, 4, 0.4);
    return times;
  }

  private static Work work(long id, int steps, double arrival, double deadline) {
    return new Work(id, "s", 1, steps, 0, arrival, deadline, 0, 8, false, "");
  }

  private static Work running(Work work, int degree, int taken) {
    return new Work(
        work.id(),
        "s",
        1,
        work.steps(),
        taken,
        work.arrival(),
        work.deadline(),
        degree,
        8,
        false,
        "");
  }

  private static String said(Scheduler.Commands commands) {
    String pause = commands.pause().stream().map(w -> "-" + w.id()).collect(Collectors.joining());
    return pause
        + commands.start().stream()
            .map(
                grant ->
                    grant.works().stream().map(w -> "+" + w.id()).collect(Collectors.joining())
                        + "×"
                        + grant.degree())
            .collect(Collectors.joining(" "));
  }

  private static String decided(Policy policy, int ranks, double now, Work... works) {
    return said(new Scheduler(policy, ranks, 1, times()).decide(now, List.of(works)));
  }

  @Test
  void firstComeFirstServedStopsNothing() {
    Work first = running(work(1, 50, 0, NEVER), 1, 3);
    assertThat(decided(Policy.FCFS, 1, 9, first, work(2, 1, 1, 5))).isEmpty();
    assertThat(decided(Policy.FCFS, 1, 9, work(1, 50, 0, NEVER), work(2, 1, 1, 5)))
        .isEqualTo("+1×1");
  }

  @Test
  void theShortestIsFirstAndStopsNothing() {
    Work first = running(work(1, 50, 0, NEVER), 1, 3);
    assertThat(decided(Policy.SJF, 1, 9, first, work(2, 1, 1, 5))).isEmpty();
    assertThat(decided(Policy.SJF, 1, 9, work(1, 50, 0, NEVER), work(2, 1, 1, 5)))
        .isEqualTo("+2×1");
  }

  @Test
  void theLeastLeftTakesRanksOfOthers() {
    Work first = running(work(1, 50, 0, NEVER), 1, 3);
    assertThat(decided(Policy.SRTF, 1, 9, first, work(2, 1, 1, 5))).isEqualTo("-1");
    Work almost = running(work(1, 50, 0, NEVER), 1, 49);
    assertThat(decided(Policy.SRTF, 1, 9, almost, work(2, 3, 1, 5))).isEmpty();
  }

  @Test
  void aRequestWithSlackIsHeldForOneWithout() {
    Work video = running(work(1, 50, 0, 200), 1, 10); // 40 s left, 200 s of time
    assertThat(decided(Policy.GENSERVE, 1, 0, video, work(2, 10, 0, 12))).isEqualTo("-1");
  }

  @Test
  void aRequestWithoutSlackIsNotHeldForOneWithMore() {
    Work tight = running(work(1, 20, 0, 20), 1, 10);
    assertThat(decided(Policy.GENSERVE, 1, 10, tight, work(2, 10, 10, 60))).isEmpty();
  }

  @Test
  void aDeadlineThatNeedsMoreRanksGetsThem() {
    assertThat(decided(Policy.GENSERVE, 4, 0, work(1, 10, 0, 5))).isEqualTo("+1×4");
    Work slow = running(work(1, 10, 0, 7), 1, 2); // 8 s left on one, 4.8 s on two
    Work other = running(work(2, 10, 0, 11), 1, 0);
    assertThat(decided(Policy.GENSERVE, 3, 0, slow, other)).isEqualTo("-1");
  }

  @Test
  void whatIsLateAnywayGetsTheRanksThatAreLeft() {
    assertThat(decided(Policy.GENSERVE, 1, 9, work(1, 10, 0, 10), work(2, 10, 9, 30)))
        .isEqualTo("+2×1");
    assertThat(decided(Policy.GENSERVE, 1, 9, work(1, 10, 0, 10))).isEqualTo("+1×1");
  }

  @Test
  void alikeAreDrawnTogetherWhereThatIsQuicker() {
    StepTimes times = times();
    times.measured("s", 2, 1, 1.2);
    List<Work> alike =
        List.of(
            new Work(1, "s", 1, 10, 0, 0, 40, 0, 1, false, "a"),
            new Work(2, "s", 1, 10, 0, 0, 50, 0, 1, false, "a"),
            new Work(3, "s", 1, 10, 0, 0, 50, 0, 1, false, "b"));
    assertThat(said(new Scheduler(Policy.GENSERVE, 1, 1, times).decide(0, alike)))
        .isEqualTo("+1+2×1");
    assertThat(said(new Scheduler(Policy.GENSERVE, 1, 1, times()).decide(0, alike)))
        .isEqualTo("+1×1"); // two take twice as long
  }

  /** The dynamic program against all ways to share ranks out, by what its grants are worth. */
  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12})
  void theDynamicProgramFindsTheBestOfAllWays(long seed) {
    Random random = new Random(seed);
    List<Work> works = new ArrayList<>();
    for (int i = 0; i < 5; i++) {
      Work work = work(i, 1 + random.nextInt(30), 0, 1 + random.nextInt(60));
      works.add(random.nextBoolean() ? work : running(work, 1 << random.nextInt(2), 0));
    }
    Deadlines deadlines = new Deadlines(new Policy.Ranks(4, times()));
    double found =
        deadlines.grants(0, works).stream()
            .mapToDouble(grant -> deadlines.worth(0, grant.works(), grant.degree()))
            .sum();
    assertThat(found).isCloseTo(best(deadlines, works, 0, 4), within(1e-9));
  }

  private static double best(Deadlines deadlines, List<Work> works, int from, int ranks) {
    if (from == works.size()) {
      return 0;
    }
    double best = best(deadlines, works, from + 1, ranks);
    for (int degree = 1; degree <= ranks; degree *= 2) {
      double own = deadlines.worth(0, List.of(works.get(from)), degree);
      best = Math.max(best, own + best(deadlines, works, from + 1, ranks - degree));
    }
    return best;
  }

  @ParameterizedTest
  @EnumSource(Policy.class)
  void noMoreRanksAreGivenThanThereAre(Policy policy) {
    Random random = new Random(7);
    for (int trial = 0; trial < 200; trial++) {
      List<Work> works = new ArrayList<>();
      int used = 0;
      for (int i = 0; i < 6; i++) {
        Work work = work(i, 1 + random.nextInt(30), 0, random.nextInt(60));
        boolean runs = used < 4 && random.nextBoolean();
        works.add(runs ? running(work, 1, 0) : work);
        used += runs ? 1 : 0;
      }
      Scheduler.Commands commands = new Scheduler(policy, 4, 2, times()).decide(5, works);
      int started = commands.start().stream().mapToInt(Grant::degree).sum();
      assertThat(used + started).isLessThanOrEqualTo(4);
    }
  }

  /** A long request among short ones that would take all ranks for ever. */
  @Test
  void nobodyStarves() {
    StepTimes times = times();
    List<Work> works = new ArrayList<>(List.of(work(0, 100, 0, 110)));
    for (int i = 1; i < 1_000; i++) {
      works.add(work(i, 3, i * 2.5, i * 2.5 + 6)); // more than one rank can do
    }
    Scheduler scheduler = new Scheduler(Policy.GENSERVE, 1, 1, times);
    Simulation simulation = new Simulation(scheduler, times);
    simulation.run(works);
    assertThat(simulation.ended(0)).isLessThan(110 + 4 * 110 + 110); // patience, then its own time
  }

  /** Alike in all but when they came. */
  @ParameterizedTest
  @EnumSource(Policy.class)
  void withinAClassTheFirstToComeIsTheFirstToGo(Policy policy) {
    StepTimes times = times();
    List<Work> works = new ArrayList<>();
    for (int i = 0; i < 40; i++) {
      works.add(work(i, 5, i, i + 1_000));
    }
    Simulation simulation = new Simulation(new Scheduler(policy, 2, 1, times), times);
    simulation.run(works);
    for (int i = 1; i < 40; i++) {
      assertThat(simulation.ended(i)).isGreaterThanOrEqualTo(simulation.ended(i - 1) - 1e-6);
    }
  }

  @Test
  void deadlinesAreKeptBestByGenserve() {
    double genserve = attainment(Policy.GENSERVE, 1);
    for (int degree = 1; degree <= 8; degree *= 2) {
      assertThat(attainment(Policy.SRTF, degree)).isLessThan(genserve - 7);
      assertThat(attainment(Policy.SJF, degree)).isLessThan(genserve - 7);
    }
  }

  private static double attainment(Policy policy, int degree) {
    return ServingSimulation.mean(
        ServingSimulation.attainments(
            policy, degree, ServingSimulation.genserve(36), 3, new ArrayList<>()));
  }

  @Test
  void stepTimesAreKeptInAFile() throws IOException {
    StepTimes times = times();
    times.measured("s", 1, 1, 2); // weighs a quarter
    Path file = folder.resolve("times.json");
    times.save(file);
    StepTimes read = StepTimes.load(file);
    assertThat(read.of("s", 1, 1)).isCloseTo(1.25, within(1e-12));
    assertThat(read.of("s", 1, 8)).isCloseTo(0.2, within(1e-12)); // half of that on 4
    assertThat(read.of("other", 2, 1)).isEqualTo(2);
    assertThat(StepTimes.load(folder.resolve("none.json")).of("s", 1, 1)).isEqualTo(1);
    Files.writeString(file, "[{\"shape\":\"s\",\"pictures\":0,\"degree\":1,\"seconds\":1}]");
    assertThatThrownBy(() -> StepTimes.load(file))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("is no table of step times");
  }
}
