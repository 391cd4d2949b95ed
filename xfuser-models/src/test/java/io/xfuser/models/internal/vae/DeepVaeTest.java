package io.xfuser.models.internal.vae;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.failure.ModelException;
import io.xfuser.internal.parallel.Channel;
import io.xfuser.internal.parallel.TestRanks;
import io.xfuser.internal.runtime.RankStrip;
import io.xfuser.model.VaeDecoder;
import io.xfuser.model.VaeDecoder.DecodeOptions;
import io.xfuser.model.VaeEncoder;
import io.xfuser.models.internal.vae.StripedDecoder.Latents;
import io.xfuser.models.internal.weights.ComponentWeights;
import io.xfuser.models.internal.weights.FileWeights;
import io.xfuser.nn.Strip;
import io.xfuser.testing.Pixels;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Torch;
import io.xfuser.weights.ComponentConfig;
import io.xfuser.weights.LoadOptions;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** AutoencoderDC, with and without batch norms, shuffled and interpolated, against diffusers. */
class DeepVaeTest {
  private static final DecodeOptions WHOLE = new DecodeOptions(false, false);
  private static final DecodeOptions TILED = new DecodeOptions(false, true);

  private final NDManager manager = Torch.newManager();

  @BeforeEach
  void prepare() {
    Torch.prepareThread(1);
  }

  @AfterEach
  void close() {
    manager.close();
  }

  @ParameterizedTest
  @ValueSource(strings = {"sana_tiny", "sana_2k_tiny"})
  void pixelsAreThoseOfDiffusers(String pipeline) {
    try (VaeDecoder decoder = opened(pipeline, source -> read(pipeline).decoder(source))) {
      NDArray pixels = decoder.decode(manager, reference(pipeline, "latents"), WHOLE);
      assertThat(VaeFixtures.relativeDifference(pixels, reference(pipeline, "decoded")))
          .isLessThan(1e-4);
      NDArray tiled = decoder.decode(manager, reference(pipeline, "large"), TILED);
      NDArray some = tiled.get("..., ::16, ::16");
      assertThat(VaeFixtures.relativeDifference(some, reference(pipeline, "tiled")))
          .isLessThan(1e-4);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"sana_tiny", "sana_2k_tiny"})
  void latentsAreThoseOfDiffusers(String pipeline) {
    try (VaeEncoder encoder = encoder(pipeline)) {
      NDArray encoded =
          encoder
              .encode(manager, reference(pipeline, "pixels"), WHOLE, Strip.whole())
              .orElseThrow();
      NDArray latents = encoder.latents(manager, encoded, null);
      assertThat(VaeFixtures.relativeDifference(latents, reference(pipeline, "encoded")))
          .isLessThan(1e-4);
    }
  }

  /** By it sizes are refused that cannot fit: a quarter of level 1's 256 channels, for example. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{} | 128",
        "{\"decoder_layers_per_block\": [0, 3, 3, 3, 3, 3]} | 64",
        "{\"decoder_block_out_channels\": [2, 4, 64, 64, 64, 64]} | 4",
        "{\"decoder_block_out_channels\": [2, 4, 64, 64, 64, 64], \"decoder_block_types\":"
            + " \"EfficientViTBlock\"} | 32"
      })
  void theLevelWithMostForEachPixelIsFound(String json, int width) {
    DeepVaeConfig config = DeepVaeConfig.from(ComponentConfig.parse("vae/config.json", json));
    assertThat(config.footprint().width()).isEqualTo(width);
  }

  /** A strip may have a single row of latents, of which a 5×5 kernel sees two strips away. */
  @ParameterizedTest
  @CsvSource({"sana_tiny, 2", "sana_tiny, 5", "sana_2k_tiny, 3", "sana_2k_tiny, 5"})
  void stripsTogetherDecodeWhatOneDoes(String pipeline, int strips) throws Exception {
    try (VaeDecoder decoder = opened(pipeline, source -> read(pipeline).decoder(source))) {
      StripedDecoder striped = StripedDecoder.of(decoder, WHOLE);
      Latents latents = new Latents(1, 4, 5, 3);
      FloatBuffer together = striped.decode(strips, latents).get(0).pixels();
      float[] alone = striped.decodeAlone(latents);
      assertThat(VaeFixtures.relativeDifference(together.array(), alone)).isLessThan(1e-4);
    }
  }

  @ParameterizedTest
  @CsvSource({"sana_tiny, 2", "sana_2k_tiny, 2"})
  void stripsTogetherEncodeWhatOneDoes(String pipeline, int strips) throws Exception {
    try (VaeEncoder encoder = encoder(pipeline)) {
      List<float[]> all =
          TestRanks.IN_PROCESS.run(
              strips,
              world -> {
                List<Integer> ranks = IntStream.range(0, strips).boxed().toList();
                Strip strip = new RankStrip(world.group(Channel.VAE, ranks));
                try (NDManager own = Torch.newManager()) {
                  NDArray pixels = Torch.copy(own, reference(pipeline, "pixels"));
                  return encoder
                      .encode(own, pixels, WHOLE, strip)
                      .map(Pixels::floats)
                      .orElse(new float[0]);
                }
              });
      NDArray alone =
          encoder
              .encode(manager, reference(pipeline, "pixels"), WHOLE, Strip.whole())
              .orElseThrow();
      assertThat(VaeFixtures.relativeDifference(all.get(0), Pixels.floats(alone))).isLessThan(1e-4);
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{\"latent_channels\": 0} | latent_channels 0",
        "{\"scaling_factor\": 0} | scaling_factor 0.0 must be finite and not 0",
        "{\"latent_channels\": 24} | latent_channels 24 does not divide the 1024 channels",
        "{\"decoder_block_types\": \"Other\"} | Other is not supported, only [EfficientViTBlock,"
            + " ResBlock]",
        "{\"decoder_norm_types\": \"layer_norm\"} | layer_norm is not supported",
        "{\"decoder_act_fns\": \"mish\"} | mish is not supported, only [relu, silu, swish]",
        "{\"encoder_layers_per_block\": [1, 2]} | must be as many, but are 6, 2, 6 and 6",
        "{\"encoder_layers_per_block\": [1, 0, 1, 1, 1, 1]} | only the first level may be without"
            + " layers"
      })
  void settingsThatMakeNoAutoencoderAreNamed(String json, String message) {
    assertThatThrownBy(() -> DeepVaeConfig.from(ComponentConfig.parse("vae/config.json", json)))
        .isInstanceOf(ModelException.class)
        .hasMessageStartingWith("vae/config.json: ")
        .hasMessageContaining(message);
  }

  private static Path directory(String pipeline) {
    return VaeFixtures.directory(pipeline + "/vae");
  }

  private static DeepVaeConfig read(String pipeline) {
    return DeepVaeConfig.from(settings(pipeline));
  }

  private static ComponentConfig settings(String pipeline) {
    return ComponentConfig.read(directory(pipeline).resolve("config.json"));
  }

  private static VaeEncoder encoder(String pipeline) {
    return opened(pipeline, source -> read(pipeline).encoder(settings(pipeline), source));
  }

  private static <T> T opened(String pipeline, Function<ComponentWeights, T> opening) {
    LoadOptions loading = LoadOptions.of(ElementType.FLOAT32);
    try (ComponentWeights source =
        ComponentWeights.open(directory(pipeline), "diffusion_pytorch_model", loading)) {
      return opening.apply(source);
    }
  }

  private NDArray reference(String pipeline, String name) {
    Path file = VaeFixtures.directory("reference/%s/vae.safetensors".formatted(pipeline));
    try (FileWeights tensors = FileWeights.openFile(file, null)) {
      return Torch.copy(manager, tensors.get(manager, name, tensors.shape(name)));
    }
  }
}
