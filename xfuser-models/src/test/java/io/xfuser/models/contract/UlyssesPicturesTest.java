package io.xfuser.models.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.xfuser.config.InputConfig;
import io.xfuser.config.ParallelConfig;
import io.xfuser.config.Settings.Schedule;
import io.xfuser.config.Settings.StepCache;
import io.xfuser.failure.ArgumentException;
import io.xfuser.nn.Range;
import io.xfuser.pipeline.Generation;
import io.xfuser.pipeline.XDiTParallel;
import io.xfuser.report.RankReport;
import io.xfuser.testing.Pixels;
import io.xfuser.transformer.TransformerSpec;
import io.xfuser.weights.Placement;
import java.util.List;
import java.util.Objects;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Whole pictures of Ulysses ranks that trade in two phases, or values first. */
class UlyssesPicturesTest {
  private static final int STEPS = TinyPictures.STEPS;

  /** In the third what is stale replaces what is stale. */
  private static final int STALE_STEPS = 3;

  private static final ParallelConfig SERIAL = ParallelConfig.serial();

  /**
   * Up to 8 ranks, a Ulysses group of at least 3 among them: with a ring, with stale patches, alone
   * and, with the profile {@code complete}, with each other method.
   */
  private static final List<ParallelConfig> LAYOUTS =
      List.of(
          SERIAL.toBuilder().ulyssesDegree(4).ringDegree(2).ulyssesTopology(2, 2).build(),
          SERIAL.toBuilder()
              .ulyssesDegree(4)
              .pipefusionDegree(2)
              .numPipelinePatch(3)
              .ulyssesTopology(2, 2)
              .build(),
          SERIAL.toBuilder().ulyssesDegree(4).ulyssesTopology(2, 2).build(),
          SERIAL.toBuilder().ulyssesDegree(3).tensorDegree(2).ulyssesTopology(3, 1).build(),
          SERIAL.toBuilder().ulyssesDegree(4).distrifusionDegree(2).ulyssesTopology(2, 2).build(),
          SERIAL.toBuilder().ulyssesDegree(6).ulyssesTopology(3, 2).build(),
          SERIAL.toBuilder().ulyssesDegree(6).ulyssesTopology(2, 3).build(),
          SERIAL.toBuilder().ulyssesDegree(4).dataDegree(2).ulyssesTopology(2, 2).build());

  /** Transformers whose text joins their tokens in one way or another, in most layouts. */
  static Stream<Arguments> pictures() {
    List<String> models =
        List.of(
            "flux_dev_tiny",
            "zimage_tiny",
            "hunyuandit_tiny", // and with the profile complete
            "pixart_sigma_tiny",
            "sd35_medium_tiny",
            "latte_tiny",
            "chroma_tiny",
            "flux2_klein_tiny",
            "qwenimage_tiny",
            "sd3_tiny",
            "sd35_medium_tiny");
    int few = 3;
    return IntStream.range(0, CoveringArray.ALL ? models.size() : few)
        .mapToObj(i -> Arguments.of(models.get(i), LAYOUTS.get(i % LAYOUTS.size())));
  }

  @ParameterizedTest
  @MethodSource("pictures")
  void theyAreTheSameBits(String model, ParallelConfig nodes) {
    boolean stale = nodes.pipefusionDegree() > 1 || nodes.distrifusionDegree() > 1;
    int steps = stale ? STALE_STEPS : CoveringArray.ALL ? STEPS : 1; // each is as the first
    ParallelConfig one = nodes.toBuilder().set(ParallelConfig.ULYSSES_TOPOLOGY, null).build();
    ParallelConfig values = nodes.toBuilder().ulyssesSchedule(Schedule.V_FIRST).build();
    try (TinyPictures pipeline = new TinyPictures(model)) {
      float[] expected = pipeline.pixels(one, steps);
      assertThat(pipeline.pixels(values, steps)).containsExactly(expected);
    }
  }

  /**
   * What the tokens of one node, text and image, have of the heads of another crosses once,
   * whatever the phases, and in one message from each rank.
   */
  @ParameterizedTest
  @CsvSource({"3, 2", "4, 1"})
  void bytesBetweenNodesAreThoseOfTheFormula(int nodes, int ofANode) {
    int size = nodes * ofANode;
    int steps = ofANode == 1 ? STEPS : 1;
    ParallelConfig layout =
        SERIAL.toBuilder().ulyssesDegree(size).ulyssesTopology(nodes, ofANode).build();
    try (TinyPictures pipeline = new TinyPictures("sd3_tiny");
        Generation generation = pipeline.drawn(layout, steps)) {
      TransformerSpec<?> spec = pipeline.pipeline().model().transformer(Placement.CPU);
      Range tokens = Range.of(35); // of 80 × 112 pixels
      Range spoken = Range.of(77 + 20);
      Range heads = Range.of(spec.heads());
      long traded = 0;
      for (int from = 0; from < size; from++) {
        for (int to = 0; to < size; to++) {
          if (from / ofANode != to / ofANode) {
            int of = tokens.shard(from, size).length() + spoken.shard(from, size).length();
            traded += 4L * of * heads.shard(to, size).length();
          }
        }
      }
      long rows = 2 * 2; // two pictures with guidance
      List<RankReport.Sent> sent =
          generation.report().ranks().stream()
              .map(rank -> Objects.requireNonNull(rank.sentBetweenNodes().get("ulysses")))
              .toList();
      assertThat(sent.stream().mapToLong(RankReport.Sent::bytes).sum())
          .isEqualTo(Float.BYTES * rows * steps * spec.depth() * spec.headSize() * traded);
      assertThat(sent)
          .extracting(RankReport.Sent::messages) // there and back
          .containsOnly((nodes - 1L) * 2 * steps * spec.depth());
    }
  }

  @Tag("complete")
  @Test
  void soTheyDoOfPatches() {
    selectedTokensDrawAnotherPictureTheSameInAnyOrder("pixart_sigma_tiny", 3);
  }

  @ParameterizedTest
  @CsvSource("flux_dev_tiny, 1")
  void selectedTokensDrawAnotherPictureTheSameInAnyOrder(String model, int patches) {
    ParallelConfig whole =
        SERIAL.toBuilder().ulyssesDegree(4).ulyssesTopology(2, 2).numPipelinePatch(patches).build();
    ParallelConfig some = whole.toBuilder().selectiveV(1).build();
    ParallelConfig values = some.toBuilder().ulyssesSchedule(Schedule.V_FIRST).build();
    try (TinyPictures pipeline = new TinyPictures(model);
        Generation fresh = pipeline.drawn(whole, STALE_STEPS);
        Generation fewer = pipeline.drawn(some, STALE_STEPS)) {
      float[] selected = Pixels.floats(fewer.tensor());
      assertThat(selected).isNotEqualTo(Pixels.floats(fresh.tensor()));
      assertThat(fresh.report().ranks())
          .allSatisfy(rank -> assertThat(rank.unsentChange()).isZero());
      assertThat(fewer.report().ranks())
          .allSatisfy(rank -> assertThat(rank.unsentChange()).isBetween(1e-4, 1.0));
      assertThat(pipeline.pixels(values, STALE_STEPS)).containsExactly(selected);
    }
  }

  static Stream<Arguments> refusals() {
    ParallelConfig some = SERIAL.toBuilder().ulyssesDegree(2).selectiveV(0.5).build();
    InputConfig input = Requests.two("sd35_medium_tiny");
    return Stream.of(
        Arguments.of(
            "sd35_medium_tiny",
            some.toBuilder().distrifusionDegree(2).build(),
            input,
            "selective_v cannot be had with DistriFusion"),
        Arguments.of(
            "sd35_medium_tiny",
            some,
            input.toBuilder().set(InputConfig.CACHE, StepCache.FBCACHE).build(),
            "selective_v cannot be had with cache fbcache"),
        Arguments.of(
            "sd35_medium_tiny",
            some,
            input.toBuilder().set(InputConfig.SKIP_GUIDANCE_LAYERS, List.of(1)).build(),
            "selective_v cannot be had with skip_guidance_layers"),
        Arguments.of(
            "sana_tiny",
            some,
            Requests.two("sana_tiny"),
            "selective_v is about self-attention, which this transformer has none of"));
  }

  @ParameterizedTest
  @MethodSource("refusals")
  void whatSelectedTokensCannotBeHadWithIsRefused(
      String model, ParallelConfig layout, InputConfig input, String sentence) {
    try (TinyPictures pipeline = new TinyPictures(model);
        XDiTParallel ranks = pipeline.ranks(layout)) {
      assertThatThrownBy(() -> ranks.generate(input))
          .isInstanceOf(ArgumentException.class)
          .hasMessage(sentence);
    }
  }
}
