package io.xfuser.models.internal.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.xfuser.testing.Pixels;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Torch;
import io.xfuser.weights.ComponentConfig;
import io.xfuser.weights.LoadOptions;
import io.xfuser.weights.Share;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Function;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Language models of groups of two heads against transformers; where one is enough, Qwen3. */
class CausalDecoderTest {
  private NDManager manager;
  private CausalDecoder decoder;
  private NDArray ids;

  @BeforeEach
  void open() {
    Torch.prepareThread(1);
    manager = Torch.newManager();
    decoder = opened("zimage_tiny", DecoderConfig::qwen3);
    ids = reference("ids");
  }

  private static CausalDecoder opened(
      String pipeline, Function<ComponentConfig, DecoderConfig> reading) {
    Path directory = TextFixtures.path(pipeline + "/text_encoder");
    EncoderFolder folder = EncoderFolder.of(directory, LoadOptions.of(ElementType.FLOAT32));
    return new CausalDecoder(folder, reading.apply(folder.config()), Share.WHOLE);
  }

  @AfterEach
  void close() {
    decoder.close();
    manager.close();
  }

  /** Of Gemma2's 29 tokens, every other layer sees twelve. */
  static Stream<Arguments> models() {
    return Stream.of(
        model("zimage_tiny", DecoderConfig::qwen3),
        model("qwenimage_tiny", DecoderConfig::qwen25vl),
        model("sana_tiny", DecoderConfig::gemma2));
  }

  private static Arguments model(
      String pipeline, Function<ComponentConfig, DecoderConfig> reading) {
    return Arguments.of(pipeline, reading);
  }

  @ParameterizedTest
  @MethodSource("models")
  void everyStateIsThatOfTransformers(
      String pipeline, Function<ComponentConfig, DecoderConfig> reading) {
    try (CausalDecoder model = opened(pipeline, reading)) {
      List<Integer> all = IntStream.rangeClosed(0, model.layers()).boxed().toList();
      List<NDArray> states = model.inner(manager, TextInput.of(reference(pipeline, "ids")), all);
      for (int i : all) {
        NDArray expected = reference(pipeline, "hidden." + i);
        assertThat(Pixels.largestDifference(states.get(i), expected))
            .as("state %d", i)
            .isLessThanOrEqualTo(2e-5);
      }
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
    return reference("zimage_tiny", name);
  }

  private NDArray reference(String pipeline, String name) {
    Path file = TextFixtures.path("reference/%s/decoder.safetensors".formatted(pipeline));
    return TextFixtures.tensor(manager, file, name);
  }
}
