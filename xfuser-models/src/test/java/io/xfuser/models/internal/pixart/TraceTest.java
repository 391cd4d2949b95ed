package io.xfuser.models.internal.pixart;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.config.ParallelConfig;
import io.xfuser.internal.parallel.Channel;
import io.xfuser.model.GivenTensors;
import io.xfuser.pipeline.Generation;
import io.xfuser.pipeline.XDiTParallel;
import io.xfuser.progress.ProgressListener;
import io.xfuser.trace.RankTrace;
import io.xfuser.trace.RunTrace;
import io.xfuser.trace.TraceEvent;
import io.xfuser.trace.TraceEvent.Activity;
import io.xfuser.trace.TraceEvent.MicroStep;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/** A trace of two PipeFusion stages with two Ulysses ranks each, four patches, one warm-up step. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class TraceTest {
  private static final Path SIGMA = Path.of("src/test/resources/fixtures/pixart_sigma_tiny");
  private static final int STEPS = 3;
  private static final int PATCHES = 4;
  private static final int STAGES = 2;
  private static final ParallelConfig DEGREES =
      ParallelConfig.builder()
          .pipefusionDegree(STAGES)
          .numPipelinePatch(PATCHES)
          .ulyssesDegree(2)
          .build();
  private static final InputConfig INPUT =
      InputConfig.builder("a red fox")
          .numInferenceSteps(STEPS)
          .size(64, 64)
          .useResolutionBinning(false)
          .build();

  private XDiTParallel pipeline;
  private Generation generation;

  @BeforeAll
  void generate() {
    pipeline = XDiTParallel.inProcess(EngineConfig.builder(SIGMA).parallel(DEGREES).build());
    generation = pipeline.trace(INPUT, GivenTensors.NONE, ProgressListener.NONE);
  }

  @AfterAll
  void close() {
    generation.close();
    pipeline.close();
  }

  @Test
  void everyPatchOfEveryStepIsComputedOncePerStage() {
    List<MicroStep> expected = new ArrayList<>();
    expected.add(new MicroStep(0, 0, PATCHES, PATCHES));
    for (int step = 1; step < STEPS; step++) {
      for (int patch = 0; patch < PATCHES; patch++) {
        expected.add(new MicroStep(step, patch, patch + 1, PATCHES));
      }
    }
    for (RankTrace rank : generation.trace().ranks()) {
      assertThat(parts(rank, Activity.BLOCKS)).isEqualTo(expected);
      assertThat(parts(rank, Activity.EMBED)).isEqualTo(isFirst(rank) ? expected : List.of());
      assertThat(parts(rank, Activity.HEAD)).isEqualTo(isFirst(rank) ? List.of() : expected);
    }
  }

  @Test
  void aDistriFusionRankHasOnePatchAfterTheSynchronousSteps() {
    EngineConfig engine =
        EngineConfig.builder(SIGMA).parallel(p -> p.distrifusionDegree(3)).build();
    try (XDiTParallel ranks = XDiTParallel.inProcess(engine);
        Generation patches = ranks.trace(INPUT, GivenTensors.NONE, ProgressListener.NONE)) {
      for (RankTrace rank : patches.trace().ranks()) {
        int own = rank.rank();
        assertThat(parts(rank, Activity.BLOCKS))
            .containsExactly(
                new MicroStep(0, 0, 3, 3),
                new MicroStep(1, own, own + 1, 3),
                new MicroStep(2, own, own + 1, 3));
      }
    }
  }

  @Test
  void eventsOfARankLieWithinOneAnotherOrApart() {
    for (RankTrace rank : generation.trace().ranks()) {
      assertThat(rank.events()).isSortedAccordingTo(Comparator.comparingLong(TraceEvent::end));
      for (TraceEvent one : rank.events()) {
        for (TraceEvent other : rank.events()) {
          boolean crossing =
              one.start() < other.start() && other.start() < one.end() && one.end() < other.end();
          assertThat(crossing).as("%s and %s", one, other).isFalse();
        }
      }
      List<TraceEvent> own =
          rank.events().stream()
              .filter(event -> event.message() == null)
              .sorted(Comparator.comparingLong(TraceEvent::start))
              .toList();
      for (int i = 1; i < own.size(); i++) {
        assertThat(own.get(i).start()).isGreaterThanOrEqualTo(own.get(i - 1).end());
      }
    }
  }

  @Test
  void bytesSentAreThoseOfTheReport() {
    for (RankTrace rank : generation.trace().ranks()) {
      Map<String, Long> sent = new TreeMap<>();
      for (Channel channel : Channel.values()) {
        if (channel != Channel.SKIP) {
          sent.put(channel.label(), 0L);
        }
      }
      messages(rank, Activity.SEND)
          .forEach(message -> sent.merge(message.axis().label(), message.bytes(), Long::sum));
      assertThat(sent)
          .isEqualTo(generation.report().ranks().get(rank.rank()).sentBytes())
          .containsEntry("cfg", 0L);
      assertThat(sent.get("ulysses")).isPositive();
      assertThat(sent.get("pipefusion")).isPositive();
    }
  }

  @Test
  void everyWaitEndsAfterTheSendThatItWaitsFor() {
    Map<String, TraceEvent> sends = new TreeMap<>();
    for (RankTrace rank : generation.trace().ranks()) {
      events(rank, Activity.SEND)
          .forEach(send -> sends.put(key(send, rank.rank(), message(send).peer()), send));
    }
    int waits = 0;
    for (RankTrace rank : generation.trace().ranks()) {
      for (TraceEvent wait : events(rank, Activity.WAIT).toList()) {
        String key = key(wait, message(wait).peer(), rank.rank());
        TraceEvent send = Objects.requireNonNull(sends.get(key), key);
        assertThat(wait.end()).isGreaterThan(send.start());
        assertThat(message(wait).bytes()).isEqualTo(message(send).bytes());
        waits++;
      }
    }
    assertThat(waits).isEqualTo(sends.size());
  }

  private static TraceEvent.Message message(TraceEvent event) {
    return Objects.requireNonNull(event.message());
  }

  private static String key(TraceEvent event, int from, int to) {
    return message(event).axis() + " " + from + " " + to + " " + message(event).number();
  }

  @Test
  void textAndDecodingAreSeenOnTheRanksThatDoThem() {
    assertThat(ranksThat(Activity.TEXT)).containsExactly(0, 1, 2, 3);
    assertThat(ranksThat(Activity.DECODE)).containsExactly(2);
  }

  @Test
  void jsonHasAnEventForEverythingSeenAndArrowsBetweenSendsAndWaits() throws IOException {
    RunTrace trace = generation.trace();
    JsonNode root = new ObjectMapper().readTree(trace.toJson());
    Map<String, List<JsonNode>> byPhase = new TreeMap<>();
    for (JsonNode event : root.get("traceEvents")) {
      byPhase.computeIfAbsent(event.get("ph").asText(), phase -> new ArrayList<>()).add(event);
    }
    assertThat(byPhase.get("X"))
        .hasSize(trace.ranks().stream().mapToInt(rank -> rank.events().size()).sum())
        .allSatisfy(
            event -> {
              assertThat(event.get("ts").asDouble()).isNotNegative();
              assertThat(event.get("dur").asDouble()).isNotNegative();
            });
    assertThat(texts(byPhase.getOrDefault("M", List.of()), event -> event.get("args").get("name")))
        .contains("rank 0", "rank 3");
    assertThat(texts(byPhase.getOrDefault("s", List.of()), event -> event.get("id")))
        .isEqualTo(texts(byPhase.getOrDefault("f", List.of()), event -> event.get("id")));
    assertThat(byPhase.get("X"))
        .anySatisfy(
            event -> {
              assertThat(event.get("name").asText()).isEqualTo("send");
              assertThat(event.get("args").path("step").asInt()).isEqualTo(2);
              assertThat(event.get("args").path("patch").asInt()).isEqualTo(4);
              assertThat(event.get("args").path("axis").asText()).isEqualTo("pipefusion");
              assertThat(event.get("args").path("peer").asInt()).isEqualTo(2);
            });
  }

  @Test
  void whatIsNotTracedHasNoTraceAndTheSamePicture() {
    try (Generation plain = pipeline.generate(INPUT)) {
      assertThatThrownBy(plain::trace)
          .isInstanceOf(IllegalStateException.class)
          .hasMessage("this generation was not traced");
      assertThat(pixels(plain)).isEqualTo(pixels(generation));
    }
  }

  private static int[] pixels(Generation generation) {
    BufferedImage image = (BufferedImage) generation.images().get(0).getWrappedImage();
    return image.getRGB(0, 0, image.getWidth(), image.getHeight(), null, 0, image.getWidth());
  }

  private static boolean isFirst(RankTrace rank) {
    return rank.rank() < 2;
  }

  private static List<MicroStep> parts(RankTrace rank, Activity what) {
    return events(rank, what).map(TraceEvent::at).toList();
  }

  private static Stream<TraceEvent> events(RankTrace rank, Activity what) {
    return rank.events().stream().filter(event -> event.what() == what);
  }

  private static Stream<TraceEvent.Message> messages(RankTrace rank, Activity what) {
    return events(rank, what).map(TraceTest::message);
  }

  private Set<Integer> ranksThat(Activity what) {
    Set<Integer> ranks = new HashSet<>();
    for (RankTrace rank : generation.trace().ranks()) {
      if (events(rank, what).findAny().isPresent()) {
        ranks.add(rank.rank());
      }
    }
    return ranks;
  }

  private static Set<String> texts(List<JsonNode> events, Function<JsonNode, JsonNode> field) {
    Set<String> texts = new HashSet<>();
    StreamSupport.stream(events.spliterator(), false)
        .forEach(event -> texts.add(field.apply(event).asText()));
    return texts;
  }
}
