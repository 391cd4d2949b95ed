package io.xfuser.models.internal.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.xfuser.failure.ModelException;
import io.xfuser.internal.weights.SafeTensorsWriter;
import io.xfuser.models.internal.weights.FileWeights;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Program;
import io.xfuser.torchscript.Torch;
import io.xfuser.transformer.BlockContext;
import io.xfuser.weights.LoadOptions;
import io.xfuser.weights.Share;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class T5EncoderTest {
  private static final Path TINY = TextFixtures.path("pixart_sigma_tiny/text_encoder");
  private static final Path RELU = TextFixtures.path("t5_relu");
  private static final Path STATES = TextFixtures.path("text/t5.safetensors");

  private static final Program PARTS =
      Program.load(
          T5EncoderTest.class,
          "/io/xfuser/models/internal/text/encoder.py",
          "/io/xfuser/models/internal/text/t5.py",
          "t5_parts.py");

  private NDManager manager;

  @BeforeEach
  void open() {
    Torch.prepareThread(1);
    manager = Torch.newManager();
  }

  @AfterEach
  void close() {
    manager.close();
  }

  @ParameterizedTest
  @ValueSource(strings = {"padded_120", "padded_300", "long", "short"})
  void statesEqualThoseOfTransformers(String name) {
    try (T5Encoder encoder =
        T5Encoder.open(EncoderFolder.of(TINY, LoadOptions.of(ElementType.FLOAT32)), Share.WHOLE)) {
      NDArray states = encode(encoder, read(STATES, name + ".ids"), read(STATES, name + ".mask"));
      assertThat(relativeDifference(states, read(STATES, name + ".states"))).isLessThan(1e-5);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"FLOAT32", "BFLOAT16", "FLOAT16"})
  void partsHaveTheBitsThatTheyHaveAlone(ElementType type) {
    try (T5Encoder encoder =
        T5Encoder.open(EncoderFolder.of(TINY, LoadOptions.of(type)), Share.WHOLE)) {
      NDArray ids = read(STATES, "padded_300.ids");
      NDArray mask = read(STATES, "padded_300.mask");
      NDArray others = ids.flip(1);
      NDArray whole = ids.getManager().ones(mask.getShape(), mask.getDataType());
      TextInput both =
          new TextInput(ids.concat(others, 0), mask.concat(whole, 0), BlockContext.none(List.of()))
              .in(2);
      NDArray together = encoder.states(manager, both);
      NDArray each =
          Torch.concat(
              manager, List.of(encode(encoder, ids, mask), encode(encoder, others, whole)), 0);
      assertThat(floats(together)).containsExactly(floats(each));
    }
  }

  /** Of widths at which one batch of both has other bits, at least on some CPUs. */
  @Test
  void wideLayersGivePartsTheBitsThatTheyHaveAlone() {
    assertThat(PARTS.callLong("together", 256, 1024, 640, 2)).isOne();
    if (PARTS.callLong("differs_by_rows") == 1) {
      assertThat(PARTS.callLong("together", 256, 1024, 640, 1)).isZero();
    }
  }

  @Test
  void whatOverflowsInOnePartIsNotCutInAnother() {
    assertThat(PARTS.callLong("overflowing", 2)).isOne();
    assertThat(PARTS.callLong("overflowing", 1)).isZero();
  }

  private float[] floats(NDArray states) {
    return Torch.contiguous(manager, Torch.cast(manager, states, ElementType.FLOAT32))
        .toFloatArray();
  }

  // Rounding in the same places leaves at most the order of sums in the matrix products.
  @ParameterizedTest
  @CsvSource({
    "padded_120, BFLOAT16, 4e-3", "short, BFLOAT16, 4e-3",
    "padded_120, FLOAT16, 1e-3", "short, FLOAT16, 1e-3"
  })
  void halfPrecisionRoundsWhereTransformersDoes(String name, ElementType type, double tolerance) {
    try (T5Encoder encoder =
        T5Encoder.open(EncoderFolder.of(TINY, LoadOptions.of(type)), Share.WHOLE)) {
      NDArray states = encode(encoder, read(STATES, name + ".ids"), read(STATES, name + ".mask"));
      assertThat(ElementType.of(states)).isEqualTo(type);
      Path half = TextFixtures.path("text/t5_half.safetensors");
      NDArray expected = read(half, name + "." + type.torchName());
      assertThat(relativeDifference(states, expected)).isLessThan(tolerance);
    }
  }

  @Test
  void aWholeT5WithReluAndNarrowHeadsIsEncodedToo() {
    Path reference = RELU.resolve("states.safetensors");
    try (T5Encoder encoder =
        T5Encoder.open(EncoderFolder.of(RELU, LoadOptions.of(ElementType.FLOAT32)), Share.WHOLE)) {
      NDArray states = encode(encoder, read(reference, "ids"), read(reference, "mask"));
      assertThat(relativeDifference(states, read(reference, "states"))).isLessThan(1e-5);
    }
  }

  @Test
  void theEmbeddingMayHaveTheEncodersOwnName(@TempDir Path directory) throws IOException {
    Path renamed =
        copy(
            directory, name -> name.equals("shared.weight") ? "encoder.embed_tokens.weight" : name);
    try (T5Encoder encoder =
            T5Encoder.open(
                EncoderFolder.of(TINY, LoadOptions.of(ElementType.FLOAT32)), Share.WHOLE);
        T5Encoder other =
            T5Encoder.open(
                EncoderFolder.of(renamed, LoadOptions.of(ElementType.FLOAT32)), Share.WHOLE)) {
      NDArray ids = read(STATES, "short.ids");
      NDArray mask = read(STATES, "short.mask");
      assertThat(encode(other, ids, mask).toFloatArray())
          .containsExactly(encode(encoder, ids, mask).toFloatArray());
    }
  }

  @Test
  void parametersAreCountedOnceAndHalfPrecisionKeepsTheLastMatrixExact() throws IOException {
    long elements = elements();
    long last = 2L * 32 * 64;
    try (T5Encoder exact =
            T5Encoder.open(
                EncoderFolder.of(TINY, LoadOptions.of(ElementType.FLOAT32)), Share.WHOLE);
        T5Encoder brain =
            T5Encoder.open(
                EncoderFolder.of(TINY, LoadOptions.of(ElementType.BFLOAT16)), Share.WHOLE);
        T5Encoder half =
            T5Encoder.open(
                EncoderFolder.of(TINY, LoadOptions.of(ElementType.FLOAT16)), Share.WHOLE)) {
      assertThat(exact.parameterBytes()).isEqualTo(4 * elements);
      assertThat(brain.parameterBytes()).isEqualTo(2 * elements);
      assertThat(half.parameterBytes()).isEqualTo(2 * elements + 2 * last);
    }
  }

  @Test
  void anotherActivationIsRefusedByName(@TempDir Path directory) throws IOException {
    String config = Files.readString(TINY.resolve("config.json"));
    Files.writeString(directory.resolve("config.json"), config.replace("gated-gelu", "gated-silu"));
    assertThatThrownBy(
            () ->
                T5Encoder.open(
                    EncoderFolder.of(directory, LoadOptions.of(ElementType.FLOAT32)), Share.WHOLE))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("feed_forward_proj \"gated-silu\" is not supported");
  }

  @Test
  void aMissingTensorIsNamed(@TempDir Path directory) throws IOException {
    Path broken = copy(directory, name -> name.endsWith("final_layer_norm.weight") ? "" : name);
    assertThatThrownBy(
            () ->
                T5Encoder.open(
                    EncoderFolder.of(broken, LoadOptions.of(ElementType.FLOAT32)), Share.WHOLE))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("encoder.final_layer_norm.weight");
  }

  @Test
  void aBlockTooManyIsLeftOutAsInTransformers(@TempDir Path directory) throws IOException {
    Path broken = copy(directory, name -> name);
    String config = Files.readString(TINY.resolve("config.json"));
    Files.writeString(
        broken.resolve("config.json"), config.replace("\"num_layers\": 2", "\"num_layers\": 1"));
    try (T5Encoder encoder =
            T5Encoder.open(
                EncoderFolder.of(broken, LoadOptions.of(ElementType.FLOAT32)), Share.WHOLE);
        T5Encoder whole =
            T5Encoder.open(
                EncoderFolder.of(TINY, LoadOptions.of(ElementType.FLOAT32)), Share.WHOLE)) {
      assertThat(encoder.parameterBytes()).isLessThan(whole.parameterBytes());
    }
  }

  @Test
  void idsAndMaskOfDifferentShapesAreRefused() {
    try (T5Encoder encoder =
        T5Encoder.open(EncoderFolder.of(TINY, LoadOptions.of(ElementType.FLOAT32)), Share.WHOLE)) {
      NDArray ids = manager.create(new long[] {1, 2}, new Shape(1, 2));
      NDArray mask = manager.create(new long[] {1}, new Shape(1, 1));
      assertThatThrownBy(() -> encode(encoder, ids, mask))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("(1, 2) and (1, 1)");
    }
  }

  private NDArray encode(T5Encoder encoder, NDArray ids, NDArray mask) {
    return encoder.states(manager, new TextInput(ids, mask, BlockContext.none(List.of())));
  }

  /** The tiny encoder with other names; a tensor whose new name is empty is left out. */
  private Path copy(Path directory, UnaryOperator<String> rename) throws IOException {
    Files.copy(TINY.resolve("config.json"), directory.resolve("config.json"));
    Map<String, NDArray> tensors = new LinkedHashMap<>();
    try (FileWeights file = FileWeights.open(TINY, "model", ElementType.FLOAT32)) {
      for (String name : file.names()) {
        if (!rename.apply(name).isEmpty()) {
          tensors.put(rename.apply(name), file.get(manager, name, file.shape(name)));
        }
      }
    }
    SafeTensorsWriter.write(directory.resolve("model.safetensors"), tensors);
    return directory;
  }

  private static long elements() {
    try (FileWeights file = FileWeights.open(TINY, "model", ElementType.FLOAT32)) {
      return file.names().stream().mapToLong(name -> new Shape(file.shape(name)).size()).sum();
    }
  }

  private NDArray read(Path file, String name) {
    return TextFixtures.tensor(manager, file, name);
  }

  private double relativeDifference(NDArray tensor, NDArray expected) {
    return TextFixtures.relativeDifference(manager, tensor, expected);
  }
}
