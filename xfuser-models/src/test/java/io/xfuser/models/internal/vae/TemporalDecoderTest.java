package io.xfuser.models.internal.vae;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.xfuser.internal.weights.SafeTensorsWriter;
import io.xfuser.model.VaeDecoder.DecodeOptions;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Torch;
import io.xfuser.weights.LoadOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What holds for videos; their pixels are compared in {@link AutoencoderKlDecoderTest}. */
class TemporalDecoderTest {
  private static final DecodeOptions WHOLE = new DecodeOptions(false, false);
  private static final Path TEMPORAL = VaeFixtures.directory("vae_temporal");

  @TempDir Path scratch;
  private final NDManager manager = Torch.newManager();

  @BeforeEach
  void prepare() {
    Torch.prepareThread(1);
  }

  @AfterEach
  void close() {
    manager.close();
  }

  /** Of 16 frames the first 14 are decoded together, and the last two. */
  @Test
  void aFrameChangesThoseOfItsChunkAlone() {
    try (AutoencoderKlDecoder decoder = open(TEMPORAL)) {
      float[] before = decode(decoder, 0);
      assertThat(changed(before, decode(decoder, 13)))
          .isEqualTo(IntStream.range(0, 14).boxed().toList());
      assertThat(changed(before, decode(decoder, 14))).containsExactly(14, 15);
    }
  }

  /** 16 frames (16, 4, 2, 2) of ones, of which the one at {@code bright} is different. */
  private float[] decode(AutoencoderKlDecoder decoder, int bright) {
    float[] values = new float[16 * 16];
    for (int i = 0; i < values.length; i++) {
      values[i] = i % 7 + (bright > 0 && i / 16 == bright ? i % 5 : 0);
    }
    NDArray latents = manager.create(values, new Shape(16, 4, 2, 2));
    return decoder.decodeFrames(manager, latents, WHOLE).toFloatArray();
  }

  private static List<Integer> changed(float[] before, float[] after) {
    int frame = before.length / 16;
    return IntStream.range(0, 16)
        .filter(
            i ->
                !Arrays.equals(
                    before, i * frame, (i + 1) * frame, after, i * frame, (i + 1) * frame))
        .boxed()
        .toList();
  }

  @ParameterizedTest
  @CsvSource({"true, false", "false, true", "true, true"})
  void slicingAndTilingAreRefused(boolean slicing, boolean tiling) {
    DecodeOptions options = new DecodeOptions(slicing, tiling);
    String sentence =
        TEMPORAL.resolve("config.json")
            + ": AutoencoderKLTemporalDecoder has neither slicing nor tiling, because it decodes"
            + " frames together";
    NDArray latents = manager.ones(new Shape(2, 4, 3, 3));
    try (AutoencoderKlDecoder decoder = open(TEMPORAL)) {
      assertThatThrownBy(() -> decoder.check(options)).hasMessage(sentence);
      assertThatThrownBy(() -> decoder.decode(manager, latents, options)).hasMessage(sentence);
      assertThatThrownBy(() -> decoder.decodeFrames(manager, latents, options))
          .hasMessage(sentence);
      decoder.check(WHOLE);
    }
  }

  @Test
  void otherLayersPerBlockAreRefused() throws IOException {
    settings("\"layers_per_block\": 2", "\"layers_per_block\": 3");
    assertThatThrownBy(() -> open(scratch))
        .hasMessage(
            scratch.resolve("config.json")
                + ": layers_per_block 3 of AutoencoderKLTemporalDecoder is not supported, only 2");
  }

  @Test
  void framesOfAnotherModelAreRejectedWithTheirShape() {
    try (AutoencoderKlDecoder decoder = open(TEMPORAL)) {
      NDArray video = manager.ones(new Shape(1, 4, 5, 3, 3));
      assertThatThrownBy(() -> decoder.decodeFrames(manager, video, WHOLE))
          .hasMessage("latents (1, 4, 5, 3, 3) are not (batch, 4, rows, columns)");
    }
  }

  @Test
  void onlyTheDecodersWeightsOfAllWidthsAreRead() throws IOException {
    settings("32\n  ]", "64\n  ]");
    JsonNode shapes =
        new ObjectMapper()
            .readTree(VaeFixtures.directory("reference/vae/temporal_shapes.json").toFile());
    Map<String, NDArray> weights = new LinkedHashMap<>();
    for (Map.Entry<String, JsonNode> weight : shapes.properties()) {
      weights.put(weight.getKey(), manager.ones(shape(weight.getValue())));
    }
    SafeTensorsWriter.write(scratch.resolve(VaeFixtures.FILE), weights);
    long decoderBytes =
        weights.entrySet().stream()
            .filter(entry -> entry.getKey().startsWith("decoder."))
            .mapToLong(entry -> ElementType.bytesOf(entry.getValue()))
            .sum();
    try (AutoencoderKlDecoder decoder = open(scratch)) {
      assertThat(decoder.parameterBytes()).isEqualTo(decoderBytes);
      NDArray latents = manager.ones(new Shape(3, 4, 2, 5));
      assertThat(decoder.decodeFrames(manager, latents, WHOLE).getShape())
          .isEqualTo(new Shape(3, 3, 4, 10));
    }
  }

  @Test
  void latentsStayAndOnlyThePixelsAreLeft() {
    NDArray latents = manager.ones(new Shape(15, 4, 2, 2));
    try (NDManager owner = manager.newSubManager();
        AutoencoderKlDecoder decoder = open(TEMPORAL)) {
      decoder.decodeFrames(owner, latents, WHOLE);
      assertThat(owner.getManagedArrays()).hasSize(1);
    }
    assertThat(latents.toFloatArray()).containsOnly(1);
  }

  /** The temporal decoder's settings with one difference, in the scratch folder. */
  private void settings(String from, String to) throws IOException {
    String text = Files.readString(TEMPORAL.resolve("config.json"));
    assertThat(text).contains(from);
    Files.writeString(scratch.resolve("config.json"), text.replace(from, to));
  }

  private static Shape shape(JsonNode text) {
    return new Shape(Arrays.stream(text.asText().split(" ")).mapToLong(Long::parseLong).toArray());
  }

  private static AutoencoderKlDecoder open(Path directory) {
    return AutoencoderKlDecoder.open(directory, LoadOptions.of(ElementType.FLOAT32));
  }
}
