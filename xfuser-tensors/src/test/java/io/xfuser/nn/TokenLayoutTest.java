package io.xfuser.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.xfuser.failure.ArgumentException;
import io.xfuser.nn.Sequence.Axes;
import io.xfuser.nn.TokenLayout.PatchSpan;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TokenLayoutTest {
  private static final Sequence TWO = new Sequence(List.of(new Axes(1, 7, 9), new Axes(1, 5, 4)));

  @ParameterizedTest
  @CsvSource({"1, 1", "3, 1", "1, 4", "3, 2", "4, 3", "7, 9"})
  void everyTokenHasOneOwner(int patches, int shards) {
    TokenLayout layout = new TokenLayout(TWO, patches, shards);
    assertThat(
            IntStream.range(0, shards)
                .boxed()
                .flatMapToLong(shard -> LongStream.of(layout.positions(shard)))
                .sorted())
        .containsExactlyElementsOf(LongStream.range(0, 83).boxed().toList());
  }

  @ParameterizedTest
  @CsvSource({"1, 4", "3, 2", "4, 3", "7, 9"})
  void everyShardOfAPatchHasItsPartOfEverySegment(int patches, int shards) {
    TokenLayout layout = new TokenLayout(TWO, patches, shards);
    for (int segment = 0; segment < 2; segment++) {
      TokenLayout alone = layout.segment(segment);
      for (int patch = 0; patch < patches; patch++) {
        for (int shard = 0; shard < shards; shard++) {
          double even = (double) alone.tokens() / patches / shards;
          assertThat((double) alone.length(PatchSpan.of(patch), shard))
              .isBetween(even - 2, even + 2);
        }
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"1, 1", "3, 1", "1, 4", "3, 2", "4, 3"})
  void placesOfAPatchFollowThoseOfThePatchBefore(int patches, int shards) {
    TokenLayout layout = new TokenLayout(TWO, patches, shards);
    List<Integer> all = IntStream.range(0, shards).boxed().toList();
    List<TokenRange> places = new ArrayList<>();
    for (int patch = 0; patch < patches; patch++) {
      places.addAll(layout.gathered(PatchSpan.of(patch), all));
    }
    assertThat(places).hasSize(patches).first().extracting(TokenRange::from).isEqualTo(0);
    for (int patch = 1; patch < patches; patch++) {
      assertThat(places.get(patch).from()).isEqualTo(places.get(patch - 1).to());
    }
    assertThat(places.get(patches - 1).to()).isEqualTo(layout.tokens());
  }

  @Test
  void placesInOneSegmentArePositions() {
    TokenLayout layout = new TokenLayout(new Sequence(new Axes(1, 7, 9)), 3, 2);
    for (int shard = 0; shard < 2; shard++) {
      assertThat(
              layout.gathered(layout.all(), List.of(shard)).stream()
                  .flatMapToInt(range -> IntStream.range(range.from(), range.to()))
                  .asLongStream()
                  .toArray())
          .isEqualTo(layout.positions(shard));
    }
  }

  @Test
  void aReferenceMayHaveFewerTokensThanThereAreShards() {
    Sequence small = new Sequence(List.of(new Axes(1, 3, 4), new Axes(1, 1, 2)));
    TokenLayout layout = new TokenLayout(small, 2, 3);
    assertThat(IntStream.range(0, 3).map(shard -> layout.positions(shard).length).sum())
        .isEqualTo(14);
  }

  @Test
  void aShardWithNothingToDenoiseIsRefusedWithTheNumbers() {
    assertThatThrownBy(() -> new TokenLayout(TWO, 8, 8))
        .isInstanceOf(ArgumentException.class)
        .hasMessage(
            "8 patches on 8 sequence-parallel ranks need at least 64 tokens, but the picture has"
                + " 63");
  }
}
