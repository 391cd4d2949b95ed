package io.xfuser.models.internal.text;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.testing.Pixels;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Torch;
import io.xfuser.transformer.BlockContext;
import io.xfuser.weights.LoadOptions;
import io.xfuser.weights.Share;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Mistral3's text side with padding that is not seen, against transformers. */
class PaddedDecoderTest {
  private static final String REFERENCE = "reference/flux2_tiny/decoder.safetensors";

  @Test
  void statesOfTextsAndPaddingAreThoseOfTransformersOnEitherSide() {
    Torch.prepareThread(1);
    LoadOptions loading = LoadOptions.of(ElementType.FLOAT32);
    Path directory = TextFixtures.path("flux2_tiny/text_encoder");
    TextModel decoder =
        new DecoderFamilies.Mistral3().open(EncoderFolder.of(directory, loading), Share.WHOLE);
    try (decoder;
        NDManager manager = Torch.newManager()) {
      BlockContext alone = BlockContext.none(List.of());
      TextInput input = new TextInput(reference(manager, "ids"), reference(manager, "mask"), alone);
      List<Integer> layers = List.of(1, 2, 31);
      List<NDArray> states = decoder.inner(manager, input, layers);
      for (int i = 0; i < layers.size(); i++) {
        NDArray theirs = reference(manager, "hidden." + layers.get(i));
        double scale = Math.max(1, theirs.abs().max().getFloat());
        assertThat(Pixels.largestDifference(states.get(i), theirs))
            .as("state %d", layers.get(i))
            .isLessThanOrEqualTo(1e-5 * scale);
      }
    }
  }

  private static NDArray reference(NDManager manager, String name) {
    return TextFixtures.tensor(manager, TextFixtures.path(REFERENCE), name);
  }
}
