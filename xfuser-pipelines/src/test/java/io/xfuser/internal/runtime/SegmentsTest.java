package io.xfuser.internal.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.nn.Patchify;
import io.xfuser.nn.Sequence;
import io.xfuser.nn.Sequence.Axes;
import io.xfuser.nn.TokenLayout;
import io.xfuser.nn.TokenLayout.PatchSpan;
import io.xfuser.nn.TokenRange;
import io.xfuser.torchscript.Torch;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.LongStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Tokens whose only value is their position in the whole sequence. */
class SegmentsTest {
  private static final Sequence THREE =
      new Sequence(List.of(new Axes(1, 3, 7), new Axes(1, 5, 2), new Axes(1, 1, 2)));

  @ParameterizedTest
  @CsvSource({"1, 1", "3, 1", "1, 4", "3, 2", "4, 3"})
  void joinedTokensLieWhereTheLayoutSays(int patches, int shards) {
    TokenLayout layout = new TokenLayout(THREE, patches, shards);
    try (NDManager manager = Torch.newManager()) {
      NDArray all = // (1, 33, 1)
          Torch.copy(manager, manager.create(values(LongStream.range(0, 33).toArray())));
      for (int shard = 0; shard < shards; shard++) {
        NDArray[] own = new NDArray[3];
        int start = 0;
        for (int i = 0; i < 3; i++) {
          int length = THREE.segments().get(i).tokens();
          NDArray segment = Torch.slice(manager, all.reshape(1, 33, 1), 1, start, start + length);
          own[i] = Patchify.select(manager, segment, layout.segment(i).positions(shard));
          start += length;
        }
        Segments segments = new Segments(layout, shard, List.of(own[1], own[2]));
        for (PatchSpan span : spans(layout)) {
          TokenRange cut = layout.segment(0).local(span, shard);
          NDArray denoised = Torch.slice(manager, own[0], 1, cut.from(), cut.to());
          NDArray joined = segments.joined(manager, denoised, span);
          TokenRange local = layout.local(span, shard);
          assertThat(joined.toFloatArray())
              .containsExactly(
                  values(
                      LongStream.of(layout.positions(shard))
                          .skip(local.from())
                          .limit(local.length())
                          .toArray()));
          assertThat(segments.denoised(manager, joined, span)).isEqualTo(denoised);
        }
      }
    }
  }

  private static List<PatchSpan> spans(TokenLayout layout) {
    List<PatchSpan> spans = new ArrayList<>(List.of(layout.all()));
    for (int patch = 0; patch < layout.patches(); patch++) {
      spans.add(PatchSpan.of(patch));
    }
    return spans;
  }

  private static float[] values(long[] positions) {
    float[] values = new float[positions.length];
    for (int i = 0; i < values.length; i++) {
      values[i] = positions[i];
    }
    return values;
  }
}
