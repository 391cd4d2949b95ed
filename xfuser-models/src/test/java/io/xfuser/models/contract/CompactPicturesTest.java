package io.xfuser.models.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.xfuser.config.InputConfig;
import io.xfuser.config.OutputType;
import io.xfuser.config.ParallelConfig;
import io.xfuser.config.Settings.Compression;
import io.xfuser.failure.ArgumentException;
import io.xfuser.nn.Range;
import io.xfuser.nn.Sequence;
import io.xfuser.nn.Sequence.Axes;
import io.xfuser.nn.TokenLayout;
import io.xfuser.nn.TokenLayout.PatchSpan;
import io.xfuser.pipeline.Generation;
import io.xfuser.pipeline.GenerationTask;
import io.xfuser.pipeline.Occupied;
import io.xfuser.pipeline.XDiTParallel;
import io.xfuser.report.RankReport;
import io.xfuser.testing.Pixels;
import io.xfuser.transformer.TransformerSpec;
import io.xfuser.weights.Placement;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Whole pictures of ranks that tell one another how keys and values have changed. */
class CompactPicturesTest {
  private static final ParallelConfig RING = ParallelConfig.builder().ringDegree(3).build();

  /** Bits that change pictures little, and fewer bits more. */
  @Tag("complete")
  @Test
  void moreBitsAreNearerOfPatchesToo() {
    moreBitsAreNearerToTheExactPicture(true);
  }

  @ParameterizedTest
  @ValueSource(booleans = false)
  void moreBitsAreNearerToTheExactPicture(boolean patches) {
    ParallelConfig layout =
        patches
            ? ParallelConfig.builder().distrifusionDegree(2).ulyssesDegree(2).build()
            : RING.toBuilder().ringDegree(2).ulyssesDegree(2).build();
    try (TinyPictures pipeline = new TinyPictures("flux_dev_tiny")) {
      float[] exact = pipeline.pixels(layout, 3);
      double before = 0.2; // of latents whose standard deviation is about 1
      for (Compression type : List.of(Compression.BINARY, Compression.INT2, Compression.INT4)) {
        double apart = apart(exact, pipeline.pixels(compact(layout, type), 3));
        assertThat(apart).isPositive().isLessThan(before);
        before = apart;
      }
    }
  }

  private static double apart(float[] x, float[] y) {
    double sum = 0;
    for (int i = 0; i < x.length; i++) {
      sum += (x[i] - y[i]) * (x[i] - y[i]);
    }
    return Math.sqrt(sum / x.length);
  }

  private static ParallelConfig compact(ParallelConfig layout, Compression type) {
    return layout.toBuilder().compactCompressType(type).build();
  }

  /** One whole step, then changes; each rank passes on all shares but the next one's. */
  @ParameterizedTest
  @EnumSource(
      value = Compression.class,
      names = {"BINARY", "INT2", "INT4"})
  void bytesAreThoseOfTheFormula(Compression type) {
    try (TinyPictures pipeline = new TinyPictures("pixart_sigma_tiny");
        Generation generation = pipeline.drawn(compact(RING, type))) {
      TransformerSpec<?> spec = pipeline.pipeline().model().transformer(Placement.CPU);
      long channels = 2L * spec.heads() * spec.headSize(); // of a key and a value
      long rows = 2 * 2; // two pictures with guidance
      for (RankReport rank : generation.report().ranks()) {
        long whole = 0;
        long change = 0;
        for (int share = 0; share < 3; share++) {
          long tokens = Range.of(35).shard(share, 3).length(); // of 80 × 112 pixels
          if (share != (rank.rank() + 1) % 3) {
            whole += Float.BYTES * tokens * channels;
            change += (tokens * channels * type.bits() + 7) / 8 + 2 * (tokens + channels);
          }
        }
        assertThat(Objects.requireNonNull(rank.sentBytes().get("ring")))
            .isEqualTo(rows * spec.depth() * (whole + (TinyPictures.STEPS - 1) * change));
        assertThat(rank.kvBufferBytes())
            .isEqualTo(rows * spec.depth() * Float.BYTES * 35 * channels);
      }
    }
  }

  /** One whole step, then a change that the last step reads; each rank tells all others. */
  @Test
  void patchesOfDistriFusionAreToldInAsManyBytes() {
    ParallelConfig patches = ParallelConfig.builder().distrifusionDegree(3).build();
    try (TinyPictures pipeline = new TinyPictures("pixart_sigma_tiny");
        Generation generation = pipeline.drawn(compact(patches, Compression.INT2), 3)) {
      TransformerSpec<?> spec = pipeline.pipeline().model().transformer(Placement.CPU);
      TokenLayout layout =
          new TokenLayout(new Sequence(List.of(new Axes(1, 5, 7))), 3, 1); // 80 × 112 pixels
      long channels = 2L * spec.heads() * spec.headSize();
      long rows = 2 * 2;
      for (RankReport rank : generation.report().ranks()) {
        long tokens = layout.length(PatchSpan.of(rank.rank()), 0);
        long whole = Float.BYTES * tokens * channels;
        long change = (tokens * channels * 2 + 7) / 8 + 2 * (tokens + channels);
        assertThat(Objects.requireNonNull(rank.sentBytes().get("distrifusion")))
            .isEqualTo(2 * rows * spec.depth() * (whole + change));
        assertThat(rank.kvBufferBytes())
            .isEqualTo(rows * spec.depth() * Float.BYTES * 35 * channels);
      }
    }
  }

  /** Nothing of a request is left for the next one, nor for one that runs while it is paused. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void requestsAreApart(boolean patches) throws Exception {
    ParallelConfig exact = patches ? ParallelConfig.builder().distrifusionDegree(2).build() : RING;
    ParallelConfig layout = compact(exact, Compression.BINARY);
    InputConfig input =
        Requests.two("sd3_tiny").toBuilder()
            .numInferenceSteps(3)
            .outputType(OutputType.LATENT)
            .build();
    try (TinyPictures pipeline = new TinyPictures("sd3_tiny");
        XDiTParallel ranks = pipeline.ranks(layout);
        Generation first = ranks.generate(input)) {
      GenerationTask task = Occupied.submit(ranks, input, 1);
      PauseTest.pausedAfter(task, 1);
      try (Generation other = ranks.generate(input.toBuilder().seed(8).build())) {
        assertThat(Pixels.largestDifference(other.tensor(), first.tensor())).isPositive();
      }
      task.resume();
      try (Generation again = task.await()) {
        assertThat(Pixels.largestDifference(again.tensor(), first.tensor())).isZero();
      }
    }
  }

  static Stream<Arguments> refusals() {
    ParallelConfig compact = compact(RING, Compression.INT2);
    return Stream.of(
        Arguments.of(
            compact.toBuilder().numDistrifusionPatch(2).build(),
            "compact_compress_type cannot be had with patches of DistriFusion on one rank, which"
                + " sends none"),
        Arguments.of(
            compact.toBuilder().numPipelinePatch(2).build(),
            "compact_compress_type cannot be had with patches of PipeFusion, which send them as"
                + " they are"));
  }

  @ParameterizedTest
  @MethodSource("refusals")
  void whatItCannotBeHadWithIsRefused(ParallelConfig layout, String sentence) {
    try (TinyPictures pipeline = new TinyPictures("pixart_sigma_tiny");
        XDiTParallel ranks = pipeline.ranks(layout)) {
      assertThatThrownBy(() -> ranks.generate(Requests.two("pixart_sigma_tiny")))
          .isInstanceOf(ArgumentException.class)
          .hasMessage(sentence);
    }
  }

  @Test
  void aRingOfOneRankHasNothingToTell() {
    assertThatThrownBy(() -> ParallelConfig.builder().compactCompressType(Compression.INT4).build())
        .hasMessage(
            "compact_compress_type int4 is about what ranks of a ring or of DistriFusion send one"
                + " another, but ring_degree and distrifusion_degree are 1");
  }
}
