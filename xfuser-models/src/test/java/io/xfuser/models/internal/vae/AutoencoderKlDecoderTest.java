package io.xfuser.models.internal.vae;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.xfuser.internal.weights.SafeTensorsWriter;
import io.xfuser.model.VaeDecoder.DecodeOptions;
import io.xfuser.models.internal.weights.FileWeights;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Torch;
import io.xfuser.weights.LoadOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class AutoencoderKlDecoderTest {
  private static final DecodeOptions WHOLE = new DecodeOptions(false, false);
  private static final Path SIGMA = VaeFixtures.directory("pixart_sigma_tiny/vae");

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

  @ParameterizedTest(name = "{0}")
  @MethodSource("cases")
  void pixelsAreThoseOfDiffusers(String name, Call call) {
    NDArray expected = reference(name + ".pixels");
    try (AutoencoderKlDecoder decoder =
        AutoencoderKlDecoder.open(call.vae, LoadOptions.of(call.type))) {
      NDArray latents = reference(name + ".latents");
      NDArray pixels =
          call.frames
              ? decoder.decodeFrames(manager, latents, call.options)
              : decoder.decode(manager, latents, call.options);
      assertThat(ElementType.of(pixels)).isEqualTo(call.type);
      assertThat(pixels.getShape()).isEqualTo(expected.getShape());
      assertThat(VaeFixtures.relativeDifference(pixels, expected)).isLessThan(call.tolerance());
    }
  }

  static Stream<Object[]> cases() throws IOException {
    JsonNode list =
        new ObjectMapper().readTree(VaeFixtures.directory("reference/vae/decode.json").toFile());
    return StreamSupport.stream(list.spliterator(), false)
        .map(entry -> new Object[] {entry.path("name").asText(), Call.of(entry)});
  }

  @Test
  void picturesOneByOneEqualPicturesTogether() {
    NDArray latents = reference("whole.latents"); // (2, 4, 7, 5)
    try (AutoencoderKlDecoder decoder = open(SIGMA)) {
      NDArray together = decoder.decode(manager, latents, WHOLE);
      NDArray oneByOne = decoder.decode(manager, latents, new DecodeOptions(true, false));
      assertThat(VaeFixtures.relativeDifference(oneByOne, together)).isLessThan(1e-5);
    }
  }

  @Test
  void tilesChangeThePictureOnlyIfThereAreSeveral() {
    try (AutoencoderKlDecoder decoder = open(SIGMA)) {
      NDArray small = reference("within_a_tile.latents"); // (1, 4, 8, 5)
      assertThat(decoder.decode(manager, small, new DecodeOptions(false, true)).toFloatArray())
          .isEqualTo(decoder.decode(manager, small, WHOLE).toFloatArray());
      NDArray large = reference("tiled.latents"); // (1, 4, 13, 9)
      NDArray tiled = decoder.decode(manager, large, new DecodeOptions(false, true));
      NDArray whole = decoder.decode(manager, large, WHOLE);
      assertThat(VaeFixtures.relativeDifference(tiled, whole)).isGreaterThan(1e-3);
    }
  }

  @Test
  void halfPrecisionIsConvolvedInChunksOfRows() {
    NDArray x = manager.randomNormal(new Shape(1, 8, 700, 64)); // more than 2^18 elements
    VaeFixtures.convolvedInChunks(manager, Layer.VAE, "convolved", x, new long[] {1, 1});
  }

  @Test
  void attentionIsReadByItsOldNamesToo() throws IOException {
    Map<String, NDArray> renamed = new LinkedHashMap<>();
    VaeFixtures.tensors(manager, SIGMA)
        .forEach((name, tensor) -> renamed.put(oldName(name), tensor));
    assertThat(renamed).containsKey("decoder.mid_block.attentions.0.proj_attn.weight");
    SafeTensorsWriter.write(scratch.resolve(VaeFixtures.FILE), renamed);
    Files.copy(SIGMA.resolve("config.json"), scratch.resolve("config.json"));
    NDArray latents = reference("whole.latents");
    try (AutoencoderKlDecoder old = open(scratch);
        AutoencoderKlDecoder decoder = open(SIGMA)) {
      assertThat(old.decode(manager, latents, WHOLE).toFloatArray())
          .isEqualTo(decoder.decode(manager, latents, WHOLE).toFloatArray());
    }
  }

  @Test
  void theEncoderIsNotLoaded() {
    long decoderBytes =
        VaeFixtures.tensors(manager, SIGMA).entrySet().stream()
            .filter(entry -> entry.getKey().matches("(decoder|post_quant_conv)\\..*"))
            .mapToLong(entry -> ElementType.bytesOf(entry.getValue()))
            .sum();
    try (AutoencoderKlDecoder decoder = open(SIGMA)) {
      assertThat(decoder.parameterBytes()).isEqualTo(decoderBytes);
    }
  }

  @Test
  void latentsStayAndOnlyThePixelsAreLeft() {
    NDArray latents = reference("tiled.latents");
    float[] before = latents.toFloatArray();
    try (NDManager owner = manager.newSubManager();
        AutoencoderKlDecoder decoder = open(SIGMA)) {
      NDArray pixels = decoder.decode(owner, latents, new DecodeOptions(true, true));
      assertThat(owner.getManagedArrays()).hasSize(1);
      assertThat(pixels.getShape().getShape()).containsExactly(1, 3, 104, 72);
    }
    assertThat(latents.toFloatArray()).isEqualTo(before);
  }

  @Test
  void threadsShareADecoder() throws Exception {
    NDArray latents = reference("whole.latents");
    ExecutorService threads = Executors.newFixedThreadPool(2);
    try (AutoencoderKlDecoder decoder = open(SIGMA)) {
      float[] expected = decode(decoder, latents);
      Future<float[]> first = threads.submit(() -> decode(decoder, latents));
      Future<float[]> second = threads.submit(() -> decode(decoder, latents));
      assertThat(first.get()).isEqualTo(expected);
      assertThat(second.get()).isEqualTo(expected);
    } finally {
      threads.shutdown();
    }
  }

  private static float[] decode(AutoencoderKlDecoder decoder, NDArray latents) {
    Torch.prepareThread(1);
    try (NDManager owner = Torch.newManager()) {
      return decoder.decode(owner, latents, WHOLE).toFloatArray();
    }
  }

  private static AutoencoderKlDecoder open(Path directory) {
    return AutoencoderKlDecoder.open(directory, LoadOptions.of(ElementType.FLOAT32));
  }

  private static String oldName(String name) {
    return name.replace(".to_q.", ".query.")
        .replace(".to_k.", ".key.")
        .replace(".to_v.", ".value.")
        .replace(".to_out.0.", ".proj_attn.");
  }

  private NDArray reference(String name) {
    Path file = VaeFixtures.directory("reference/vae/decode.safetensors");
    try (FileWeights tensors = FileWeights.openFile(file, null)) {
      return tensors.get(manager, name, tensors.shape(name));
    }
  }

  /** How a reference was decoded. */
  record Call(Path vae, ElementType type, DecodeOptions options, boolean frames) {
    static Call of(JsonNode entry) {
      return new Call(
          VaeFixtures.directory(entry.path("vae").asText()),
          ElementType.valueOf(entry.path("dtype").asText().toUpperCase(Locale.ROOT)),
          new DecodeOptions(entry.path("slicing").asBoolean(), entry.path("tiling").asBoolean()),
          entry.path("frames").asBoolean());
    }

    /**
     * Of the largest pixel. The lower precisions round at every layer, in another order: diffusers'
     * pixels themselves are up to 3.1e-2 (bf16) and 5.6e-3 (fp16) from its fp32 ones.
     */
    double tolerance() {
      return switch (type) {
        case BFLOAT16 -> 3e-2;
        case FLOAT16 -> 4e-3;
        default -> 1e-5;
      };
    }
  }
}
