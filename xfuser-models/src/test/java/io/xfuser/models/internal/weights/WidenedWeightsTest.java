package io.xfuser.models.internal.weights;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.internal.device.Upload;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Torch;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Numbers of few bits are widened to those of gguf-py and torch, bit for bit, whole and in parts.
 */
class WidenedWeightsTest {
  private static final Upload SMALL = new Upload(Device.cpu(), 64, false);

  @BeforeEach
  void prepare() {
    Torch.prepareThread(1);
  }

  /** A file, and the file of what is in it. */
  private enum Fixture {
    GGUF("blocks.gguf", "gguf_widened.safetensors"),
    PLAIN("fp8_plain.safetensors", "fp8_plain_widened.safetensors"),
    SCALED("fp8_scaled.safetensors", "fp8_scaled_widened.safetensors"),
    COMFY("comfy_quant.safetensors", "comfy_quant_widened.safetensors");

    private final String stored;
    private final String widened;

    Fixture(String stored, String widened) {
      this.stored = stored;
      this.widened = widened;
    }

    private static Path path(String name) throws Exception {
      return Path.of(
          Objects.requireNonNull(
                  WidenedWeightsTest.class.getResource("/fixtures/formats/" + name), name)
              .toURI());
    }

    FileWeights open(ElementType type) throws Exception {
      return FileWeights.openFile(path(stored), type);
    }

    FileWeights expected() throws Exception {
      return FileWeights.openFile(path(widened), ElementType.FLOAT32);
    }
  }

  @ParameterizedTest
  @EnumSource
  void everyTensorIsThatOfTheFormatsOwnReader(Fixture fixture) throws Exception {
    try (FileWeights expected = fixture.expected();
        FileWeights found = fixture.open(ElementType.FLOAT32);
        NDManager manager = Torch.newManager()) {
      assertThat(found.names()).containsExactlyInAnyOrderElementsOf(expected.names());
      for (String tensor : expected.names()) {
        long[] shape = expected.shape(tensor);
        assertThat(bits(found.get(manager, tensor, shape)))
            .as(tensor)
            .isEqualTo(bits(expected.get(manager, tensor, shape)));
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void aPartIsThePartOfTheWholeHereAndOnADevice(Fixture fixture) throws Exception {
    try (FileWeights expected = fixture.expected();
        FileWeights found = fixture.open(ElementType.FLOAT32);
        NDManager manager = Torch.newManager()) {
      for (String tensor : expected.names()) {
        long[] shape = expected.shape(tensor);
        for (Cut cut : cuts(shape)) {
          int[] wanted = bits(expected.get(manager, cut, tensor, shape));
          for (FileWeights way : List.of(found, found.through(SMALL), found.read(100))) {
            assertThat(bits(way.get(manager, cut, tensor, shape)))
                .as("%s %s", tensor, cut)
                .isEqualTo(wanted);
          }
        }
      }
    }
  }

  /** Rows and columns: the first, some in the middle across blocks' borders, none, the last. */
  private static List<Cut> cuts(long[] shape) {
    return IntStream.range(0, shape.length)
        .boxed()
        .flatMap(
            dim -> {
              long n = shape[dim];
              return Stream.of(
                  new Cut(dim, 0, (n + 1) / 2),
                  new Cut(dim, n / 3, n - n / 4),
                  new Cut(dim, n / 2, n / 2),
                  new Cut(dim, n - 1, n));
            })
        .toList();
  }

  @ParameterizedTest
  @EnumSource
  void halfPrecisionIsRoundedOnce(Fixture fixture) throws Exception {
    for (ElementType type : List.of(ElementType.BFLOAT16, ElementType.FLOAT16)) {
      try (FileWeights expected = fixture.expected();
          FileWeights found = fixture.open(type);
          NDManager manager = Torch.newManager()) {
        for (String tensor : expected.names()) {
          long[] shape = expected.shape(tensor);
          NDArray rounded = Torch.cast(manager, expected.get(manager, tensor, shape), type);
          NDArray read = found.get(manager, tensor, shape);
          assertThat(ElementType.of(read)).isEqualTo(type);
          assertThat(bits(Torch.cast(manager, read, ElementType.FLOAT32)))
              .as(tensor)
              .isEqualTo(bits(Torch.cast(manager, rounded, ElementType.FLOAT32)));
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = GgmlType.class,
      names = {"Q4_0", "Q5_1", "Q8_0", "Q3_K", "Q5_K", "Q6_K"})
  void manyBlocksAreWidenedAsFewAre(GgmlType type) {
    try (NDManager manager = Torch.newManager()) {
      NDArray bytes = Torch.empty(manager, ElementType.UINT8, 3, 7L * type.blockBytes());
      byte[] pattern = new byte[(int) bytes.size()];
      for (int i = 0; i < pattern.length; i++) {
        pattern[i] = (byte) (i % 61); // no scale is infinite
      }
      Torch.memory(bytes).put(pattern);
      int[] atOnce = widened(manager, bytes, type, 100);
      assertThat(atOnce).hasSize(3 * 7 * type.block());
      assertThat(widened(manager, bytes, type, 4)).isEqualTo(atOnce);
    }
  }

  private static int[] widened(NDManager manager, NDArray bytes, GgmlType type, long step) {
    long[] format = {type.id(), type.blockBytes(), step};
    NDArray numbers =
        GgufTensor.PROGRAM.call(
            manager, "widened", bytes, format, ElementType.FLOAT32.scalarType());
    return bits(numbers);
  }

  private static int[] bits(NDArray tensor) {
    float[] numbers = tensor.toFloatArray();
    int[] bits = new int[numbers.length];
    for (int i = 0; i < bits.length; i++) {
      bits[i] = Float.floatToRawIntBits(numbers[i]);
    }
    return bits;
  }
}
