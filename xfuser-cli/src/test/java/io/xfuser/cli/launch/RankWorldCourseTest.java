package io.xfuser.cli.launch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.failure.ClosedException;
import io.xfuser.failure.ModelException;
import io.xfuser.failure.RankException;
import io.xfuser.pipeline.DiffusionPipeline;
import io.xfuser.pipeline.XDiTParallel;
import io.xfuser.progress.ProgressListener;
import io.xfuser.server.Backend;
import io.xfuser.server.Drawn;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.function.BiConsumer;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What becomes of a world whose ranks end, one event after another: no process, no clock. */
class RankWorldCourseTest {
  private static final Path MODEL =
      Path.of("../xfuser-models/src/test/resources/fixtures/pixart_sigma_tiny");
  private static final int RANKS = 2;

  private static final EngineConfig ENGINE = EngineConfig.builder(MODEL).build();

  private static DiffusionPipeline pipeline;

  private final XDiTParallel judge =
      XDiTParallel.inProcess(pipeline, ENGINE); // closed with the world
  private final List<List<Rank>> starts = new ArrayList<>();
  private final Deque<Runnable> later = new ArrayDeque<>();
  private final List<Long> pauses = new ArrayList<>();
  private int failing;
  private BiConsumer<RankLink, JsonNode> heard = (rank, message) -> {};
  private BiConsumer<RankLink, String> ended = (rank, how) -> {};
  private final RankWorld world =
      RankWorld.begin(
          judge,
          (messages, ends) -> {
            heard = messages;
            ended = ends;
            return start();
          },
          (millis, what) -> {
            pauses.add(millis);
            later.add(what);
          },
          new PrintStream(OutputStream.nullOutputStream()));

  private static final class Rank implements RankLink {
    private final int number;
    private final List<String> lines = new ArrayList<>();
    private boolean killed;

    Rank(int number) {
      this.number = number;
    }

    @Override
    public int number() {
      return number;
    }

    @Override
    public void write(String line) {
      lines.add(line);
    }

    @Override
    public void kill() {
      killed = true;
    }

    @Override
    public void awaitEnd() {
      assertThat(killed).isTrue();
    }
  }

  private List<RankLink> start() throws IOException {
    if (failing > 0) {
      failing--;
      throw new IOException("Cannot allocate memory");
    }
    starts.add(IntStream.range(0, RANKS).mapToObj(Rank::new).toList());
    return List.copyOf(last());
  }

  @BeforeAll
  static void open() {
    pipeline = DiffusionPipeline.fromPretrained(ENGINE);
  }

  @AfterAll
  static void closePipeline() {
    pipeline.close();
  }

  @AfterEach
  void close() {
    world.close(Duration.ZERO);
    go();
    assertThat(starts.stream().flatMap(List::stream)).allMatch(rank -> rank.killed);
  }

  private List<Rank> last() {
    return starts.get(starts.size() - 1);
  }

  private void go() {
    for (Runnable next = later.poll(); next != null; next = later.poll()) {
      next.run();
    }
  }

  private void ready() {
    last().forEach(rank -> heard.accept(rank, RankWire.message("ready")));
    assertThat(world.isOpen()).isTrue();
  }

  private Backend.Task submit() {
    return world.submit(InputConfig.builder("a fox").build(), null, ProgressListener.NONE);
  }

  private void answer(JsonNode message) {
    last().forEach(rank -> heard.accept(rank, message));
    go();
  }

  @Test
  void twoRanksThatEndAtOnceStartTheWorldOnceAndAtOnce() {
    ready();
    Backend.Task running = submit();
    Backend.Task waiting = submit();
    List<Rank> old = last();
    ended.accept(old.get(1), "ended");
    ended.accept(old.get(0), "ended");
    assertThat(pauses).containsOnly(0L);
    go();
    for (Backend.Task task : List.of(running, waiting)) {
      assertThatThrownBy(() -> task.result().join())
          .hasCauseInstanceOf(RankException.class)
          .hasMessageEndingWith("rank 1 was lost: its process ended");
    }
    assertThat(starts).hasSize(2);
    assertThat(old).allMatch(rank -> rank.killed);
    heard.accept(old.get(0), RankWire.message("ready")); // said before it ended
    heard.accept(last().get(0), RankWire.message("ready"));
    assertThat(world.isOpen()).isFalse();
    assertThatThrownBy(this::submit).isInstanceOf(ClosedException.class).hasMessageContaining("1");
    heard.accept(last().get(1), RankWire.message("ready"));
    assertThat(world.isOpen()).isTrue();
  }

  @Test
  void closedWhileItWaitsToStartAgainItStartsNothing() {
    ready();
    ended.accept(last().get(0), "ended");
    world.close(Duration.ZERO);
    go();
    assertThat(starts).hasSize(1);
  }

  @Test
  void closedWhileItStartsAgainItEndsThoseThatHaveStarted() {
    ready();
    ended.accept(last().get(0), "ended");
    go();
    world.close(Duration.ZERO);
    assertThat(last()).allMatch(rank -> rank.killed);
    last().forEach(rank -> ended.accept(rank, "ended"));
    go();
    assertThat(starts).hasSize(2);
  }

  @Test
  void ranksThatCannotBeStartedAgainAreTriedAFewTimes() {
    ready();
    failing = RankWorld.MOST_LOSSES;
    ended.accept(last().get(0), "ended");
    go();
    assertThat(pauses).containsExactly(0L, 800L, 1600L, 3200L);
    assertThat(starts).hasSize(1);
    assertThatThrownBy(this::submit)
        .isInstanceOf(ClosedException.class)
        .hasMessage("the ranks cannot be started, for the 5th time without a picture between");
  }

  @Test
  void rankThatEndsWhileTheOthersStartIsALossMoreAndAPictureIsANewBeginning() {
    ready();
    for (int loss = 1; loss < RankWorld.MOST_LOSSES; loss++) {
      ended.accept(last().get(1), "ended");
      go();
      assertThat(starts).hasSize(1 + loss);
    }
    ready();
    Backend.Task drawn = submit();
    answer(RankWire.pictures(new Drawn(List.of()), 0));
    assertThat(drawn.result().join().pictures()).isEmpty();
    pauses.clear();
    ended.accept(last().get(0), "ended");
    go();
    assertThat(pauses).containsExactly(0L);
    assertThat(starts).hasSize(RankWorld.MOST_LOSSES + 1);
  }

  @Test
  void worldThatNeverWasIsNotStartedAgain() {
    ended.accept(last().get(1), "ended with exit status 1");
    go();
    assertThat(starts).hasSize(1);
    assertThatThrownBy(this::submit)
        .hasMessage("rank 1 was lost: its process ended with exit status 1");
  }

  @Test
  void failureOfARankKeepsItsKindWhicheverRankIsHeardFirst() {
    ready();
    Backend.Task task = submit();
    ModelException broken = new ModelException("model.safetensors cannot be read");
    heard.accept(last().get(0), RankWire.failed(RankException.of(1, "loading", broken)));
    heard.accept(last().get(1), RankWire.failed(broken));
    go();
    assertThatThrownBy(() -> task.result().join())
        .hasCauseInstanceOf(ModelException.class)
        .hasMessageEndingWith(broken.getMessage());
    Backend.Task odd = submit();
    answer(RankWire.failed(new ArithmeticException("/ by zero")));
    assertThatThrownBy(() -> odd.result().join())
        .hasMessageEndingWith("rank 0 failed while drawing: ArithmeticException: / by zero");
    assertThat(world.isOpen()).isTrue();
  }

  @Test
  void cancelledWhileItWaitsARequestNeverReachesTheRanks() {
    ready();
    Backend.Task running = submit();
    Backend.Task waiting = submit();
    assertThat(waiting.place()).isEqualTo(1);
    waiting.cancel();
    running.cancel();
    go();
    assertThat(waiting.result()).isCompletedExceptionally();
    assertThat(last().get(0).lines).hasSize(2).last().asString().contains("cancel");
    assertThat(last().get(1).lines).hasSize(1);
  }
}
