package io.xfuser.models.internal.vae;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.xfuser.internal.parallel.Channel;
import io.xfuser.internal.parallel.TestRanks;
import io.xfuser.internal.runtime.RankStrip;
import io.xfuser.model.VaeDecoder.DecodeOptions;
import io.xfuser.models.internal.weights.ComponentWeights;
import io.xfuser.models.internal.weights.FileWeights;
import io.xfuser.nn.Strip;
import io.xfuser.testing.Pixels;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Torch;
import io.xfuser.weights.ComponentConfig;
import io.xfuser.weights.LoadOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class AutoencoderKlEncoderTest {
  private static final DecodeOptions WHOLE = new DecodeOptions(false, false);
  private static final DecodeOptions TILED = new DecodeOptions(false, true);

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

  static Stream<Object[]> cases() throws IOException {
    JsonNode list =
        new ObjectMapper().readTree(VaeFixtures.directory("reference/vae/encode.json").toFile());
    return StreamSupport.stream(list.spliterator(), false)
        .map(entry -> new Object[] {entry.path("name").asText(), entry});
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("cases")
  void latentsAreThoseOfDiffusers(String name, JsonNode call) {
    ElementType type = ElementType.valueOf(call.path("dtype").asText().toUpperCase(Locale.ROOT));
    double tolerance = // the lower precisions round at every layer, in another order
        type == ElementType.FLOAT32 ? 1e-5 : type == ElementType.BFLOAT16 ? 3e-2 : 4e-3;
    DecodeOptions options =
        new DecodeOptions(call.path("slicing").asBoolean(), call.path("tiling").asBoolean());
    NDArray pixels = gradients(call.path("shape"));
    NDArray noise = Torch.cast(manager, reference(name + ".noise"), type);
    try (AutoencoderKlEncoder encoder = open(call.path("vae").asText(), type)) {
      NDArray encoded = encoder.encode(manager, pixels, options, Strip.whole()).orElseThrow();
      assertThat(ElementType.of(encoded)).isEqualTo(type);
      NDArray expected = reference(name + ".encoded");
      assertThat(encoded.getShape()).isEqualTo(expected.getShape());
      assertThat(VaeFixtures.relativeDifference(encoded, expected)).isLessThan(tolerance);
      NDArray latents = encoder.latents(manager, encoded, noise);
      assertThat(VaeFixtures.relativeDifference(latents, reference(name + ".latents")))
          .isLessThan(tolerance);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "pixart_sigma_tiny/vae, 2, 56, 40",
    "pixart_sigma_tiny/vae, 3, 75, 45",
    "vae_plain, 4, 13, 18",
    "vae_sixteen, 5, 40, 24",
    "vae_tiny, 3, 45, 24",
    "qwenimage_tiny/vae, 4, 45, 24"
  })
  void stripsTogetherEncodeWhatOneDoes(String vae, int strips, int height, int width)
      throws Exception {
    try (AutoencoderKlEncoder encoder = open(vae, ElementType.FLOAT32)) {
      float[] alone = encoded(encoder, height, width, WHOLE, Strip.whole());
      float[] first = onStrips(encoder, strips, height, width, WHOLE);
      assertThat(first).hasSameSizeAs(alone);
      assertThat(VaeFixtures.relativeDifference(first, alone)).isLessThan(1e-5);
    }
  }

  @Test
  void tilesGoRoundTheStrips() throws Exception {
    try (AutoencoderKlEncoder encoder = open("pixart_sigma_tiny/vae", ElementType.FLOAT32)) {
      float[] alone = encoded(encoder, 104, 72, TILED, Strip.whole());
      assertThat(onStrips(encoder, 3, 104, 72, TILED)).isEqualTo(alone);
      float[] whole = encoded(encoder, 104, 72, WHOLE, Strip.whole());
      assertThat(VaeFixtures.relativeDifference(alone, whole)).isGreaterThan(1e-3);
    }
  }

  @Test
  void withoutNoiseLatentsAreTheMiddleOfTheDistribution() {
    try (AutoencoderKlEncoder encoder = open("vae_sixteen", ElementType.FLOAT32)) {
      NDArray encoded = reference("sixteen.encoded"); // (2, 32, 3, 5)
      NDArray middle = encoder.latents(manager, encoded, null);
      NDArray means = Torch.slice(manager, encoded, 1, 0, 16);
      assertThat(VaeFixtures.relativeDifference(middle, means.sub(0.1159).mul(0.3611)))
          .isLessThan(1e-6);
    }
  }

  @Test
  void strideTwoIsConvolvedInChunksOfRowsInHalfPrecision() {
    NDArray x = manager.randomNormal(new Shape(1, 8, 1401, 129));
    NDArray chunks =
        VaeFixtures.convolvedInChunks(
            manager, Layer.ENCODER, "convolve_by", x, "conv", new long[] {0, 0}, 2);
    assertThat(chunks.getShape()).isEqualTo(new Shape(1, 3, 700, 64));
  }

  @Test
  void moreStripsThanRowsOfLatentsAreRefused() {
    try (AutoencoderKlEncoder encoder = open("vae_plain", ElementType.FLOAT32)) {
      assertThatThrownBy(() -> onStrips(encoder, 4, 6, 18, WHOLE))
          .hasStackTraceContaining("4 strips are too many for 3 rows of latents");
    }
  }

  @ParameterizedTest
  @CsvSource({
    "down_block_types, 'AttnDownEncoderBlock2D, DownEncoderBlock2D', vae_plain",
    "down_block_types, DownEncoderBlock2D, vae_plain",
    "in_channels, 4, vae_plain",
    "num_encoder_blocks, '1, 1, 1', vae_tiny",
    "encoder_block_out_channels, '4, 8, 4, 4', vae_tiny"
  })
  void settingsThatAreNotSupportedAreNamed(String name, String value, String vae)
      throws IOException {
    ObjectMapper json = new ObjectMapper();
    var config =
        (com.fasterxml.jackson.databind.node.ObjectNode)
            json.readTree(VaeFixtures.directory(vae).resolve("config.json").toFile());
    if (value.matches("\\d")) {
      config.put(name, Integer.parseInt(value));
    } else {
      var list = config.putArray(name);
      Stream.of(value.split(", "))
          .forEach(
              one ->
                  list.add(
                      one.matches("\\d")
                          ? json.valueToTree(Integer.valueOf(one))
                          : json.valueToTree(one)));
    }
    Path file = scratch.resolve("config.json");
    Files.writeString(file, config.toString());
    ComponentConfig read = ComponentConfig.read(file);
    assertThatThrownBy(() -> EncoderConfig.from(read, AutoencoderKlConfig.from(read)))
        .hasMessageContaining(file.toString())
        .hasMessageContaining(name);
  }

  private float[] onStrips(
      AutoencoderKlEncoder encoder, int strips, int height, int width, DecodeOptions options)
      throws Exception {
    List<float[]> all =
        TestRanks.IN_PROCESS.run(
            strips,
            world -> {
              List<Integer> ranks = IntStream.range(0, strips).boxed().toList();
              Strip strip = new RankStrip(world.group(Channel.VAE, ranks));
              return encoded(encoder, height, width, options, strip);
            });
    all.subList(1, strips).forEach(other -> assertThat(other).isEmpty());
    return all.get(0);
  }

  private static float[] encoded(
      AutoencoderKlEncoder encoder, int height, int width, DecodeOptions options, Strip strip) {
    try (NDManager owner = Torch.newManager()) {
      NDArray pixels = gradients(owner, 2, height, width);
      return encoder.encode(owner, pixels, options, strip).map(Pixels::floats).orElse(new float[0]);
    }
  }

  private static AutoencoderKlEncoder open(String vae, ElementType type) {
    Path directory = VaeFixtures.directory(vae);
    ComponentConfig json = ComponentConfig.read(directory.resolve("config.json"));
    try (ComponentWeights source =
        ComponentWeights.open(directory, "diffusion_pytorch_model", LoadOptions.of(type))) {
      return (AutoencoderKlEncoder) Vaes.read(json).encoder(json, source);
    }
  }

  private NDArray gradients(JsonNode shape) {
    return gradients(manager, shape.get(0).asInt(), shape.get(2).asInt(), shape.get(3).asInt());
  }

  /** The fixtures' pixels (B, 3, H, W): 8 bits that grow along all axes and begin anew at 256. */
  private static NDArray gradients(NDManager owner, int batch, int height, int width) {
    float[] values = new float[batch * 3 * height * width];
    for (int i = 0; i < values.length; i++) {
      int x = i % width;
      int y = i / width % height;
      int channel = i / width / height % 3;
      int picture = i / width / height / 3;
      values[i] = 2 * ((90 * picture + 40 * channel + 7 * y + 5 * x) % 256 / 255f) - 1;
    }
    return owner.create(values, new Shape(batch, 3, height, width));
  }

  private NDArray reference(String name) {
    Path file = VaeFixtures.directory("reference/vae/encode.safetensors");
    try (FileWeights tensors = FileWeights.openFile(file, null)) {
      return tensors.get(manager, name, tensors.shape(name));
    }
  }
}
