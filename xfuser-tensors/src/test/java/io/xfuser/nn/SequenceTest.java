package io.xfuser.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.failure.ArgumentException;
import io.xfuser.nn.Sequence.Axes;
import io.xfuser.torchscript.Program;
import io.xfuser.torchscript.Torch;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class SequenceTest {
  @Test
  void aTokenIsFoundByItsPosition() {
    Sequence sequence = new Sequence(List.of(new Axes(2, 3, 4), new Axes(1, 2, 5)));
    List<Long> expected = new ArrayList<>();
    for (int segment = 0; segment < 2; segment++) {
      Axes axes = sequence.segments().get(segment);
      for (int frame = 0; frame < axes.frames(); frame++) {
        for (int row = 0; row < axes.rows(); row++) {
          for (int column = 0; column < axes.columns(); column++) {
            expected.addAll(List.of((long) segment, (long) frame, (long) row, (long) column));
          }
        }
      }
    }
    long[] positions = new long[sequence.tokens()];
    for (int i = 0; i < positions.length; i++) {
      positions[i] = i;
    }
    try (NDManager manager = Torch.newManager()) {
      NDArray found = sequence.coordinates(manager, positions, manager.create(0f)); // (l, 4)
      assertThat(found.toLongArray())
          .containsExactly(expected.stream().mapToLong(Long::longValue).toArray());
      NDArray some = sequence.coordinates(manager, new long[] {25, 13}, manager.create(0f));
      assertThat(some.toLongArray()).containsExactly(1, 0, 0, 1, 0, 1, 0, 1);
    }
  }

  @Test
  void blocksOfFramesAndBackAreTheSameVideo() {
    Program random = Program.load(Torch.class, "half_precision_test.py");
    Patchify patchify = new Patchify(2, 2);
    try (NDManager manager = Torch.newManager()) {
      NDArray video = // (2, 3, 4, 6, 8)
          random.call(manager, "random", new long[] {2, 3, 4, 6, 8}, 1, 6);
      NDArray tokens = patchify.tokens(manager, video);
      assertThat(tokens.getShape().getShape()).containsExactly(2, 2 * 3 * 4, 8 * 3);
      NDArray frames = patchify.latents(manager, tokens, 6, 8); // (2·4, 3, 6, 8)
      assertThat(Patchify.video(manager, frames, 4)).isEqualTo(video);
    }
  }

  @Test
  void whatCannotBeCountedIsRefused() {
    assertThatThrownBy(() -> new Axes(1, 65536, 32768))
        .isInstanceOf(ArgumentException.class)
        .hasMessage(
            "a picture (height × width) of 65536 × 32768 tokens is too large: at most 2147483647"
                + " can be counted");
    assertThatThrownBy(() -> new Axes(1024, 2048, 1024)).hasMessageContaining("1024 × 2048 ×");
    Axes half = new Axes(1, 32768, 32768);
    assertThatThrownBy(() -> new Sequence(List.of(half, half)))
        .hasMessageContaining("2 pictures of 2147483648 tokens");
  }
}
