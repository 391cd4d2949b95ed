package io.xfuser.models.internal.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.xfuser.testing.Pixels;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Torch;
import io.xfuser.weights.LoadOptions;
import io.xfuser.weights.Share;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Qwen3 with three groups of two heads, against transformers. */
class CausalDecoderTest {
  private NDManager manager;
  private CausalDecoder decoder;
  private NDArray ids;

  @BeforeEach
  void open() {
    Torch.prepareThread(1);
    manager = Torch.newManager();
    LoadOptions loading = LoadOptions.of(ElementType.FLOAT32);
    Path directory = TextFixtures.path("zimage_tiny/text_encoder");
    EncoderFolder folder = EncoderFolder.of(directory, loading);
    decoder = new CausalDecoder(folder, DecoderConfig.qwen3(folder.config()), Share.WHOLE);
    ids = reference("ids");
  }

  @AfterEach
  void close() {
    decoder.close();
    manager.close();
  }

  @Test
  void everyStateIsThatOfTransformers() {
    List<NDArray> states = states(0, 1, 2, 3, 4);
    for (int i = 0; i < states.size(); i++) {
      assertThat(Pixels.largestDifference(states.get(i), reference("hidden." + i)))
          .as("state %d", i)
          .isLessThanOrEqualTo(1e-5);
    }
  }

  @Test
  void statesComeInTheOrderInWhichTheyAreAskedFor() {
    List<NDArray> all = states(1, 3);
    List<NDArray> asked = states(-2, 1, 3);
    for (int i = 0; i < 3; i++) {
      assertThat(Pixels.largestDifference(asked.get(i), all.get((i + 1) % 2))).isZero();
    }
  }

  @Test
  void paddingOnTheRightChangesNothingBeforeIt() {
    NDArray longer = manager.create(new long[2 * 12], new Shape(2, 12));
    NDArray padded = Torch.concat(manager, List.of(ids, longer), 1);
    NDArray state = decoder.inner(manager, TextInput.of(padded), List.of(4)).get(0);
    NDArray before = Torch.slice(manager, state, 1, 0, 9);
    assertThat(Pixels.largestDifference(before, reference("hidden.4"))).isLessThanOrEqualTo(1e-5);
  }

  @Test
  void aStateThatIsNotThereIsRefused() {
    for (int index : new int[] {5, -6}) {
      assertThatThrownBy(() -> states(index))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("there is no hidden state " + index + " of 4 layers");
    }
  }

  private List<NDArray> states(Integer... indices) {
    return decoder.inner(manager, TextInput.of(ids), List.of(indices));
  }

  private NDArray reference(String name) {
    return TextFixtures.tensor(
        manager, TextFixtures.path("reference/zimage_tiny/decoder.safetensors"), name);
  }
}
