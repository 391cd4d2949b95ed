package io.xfuser.models.internal.vae;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.internal.parallel.Channel;
import io.xfuser.internal.parallel.TestRanks;
import io.xfuser.internal.runtime.RankStrip;
import io.xfuser.models.internal.vae.StripedDecoder.Latents;
import io.xfuser.models.video.RandomWeights;
import io.xfuser.nn.Strip;
import io.xfuser.torchscript.Torch;
import io.xfuser.weights.ComponentConfig;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestReporter;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Memory for videos of the size that people ask for, counted: the published decoders with an eighth
 * of the channels and random weights. Takes a quarter of an hour, so only the profile {@code
 * complete} has it; {@link VideoStripsTest} says the same of small videos.
 */
@Tag("complete")
class LargeVideoTest {
  private static final int MANY = 21; // frames of latents, 81 of pixels
  private static final int RANKS = 4;
  private static final Duration LIMIT = Duration.ofHours(2);

  /** Settings of what is published, but for the widths. */
  private static final Map<String, String> EIGHTH =
      Map.of(
          "AutoencoderKLWan",
          "'base_dim': 12",
          "AutoencoderKLCogVideoX",
          "'block_out_channels': [16, 32, 32, 64], 'norm_num_groups': 4",
          "AutoencoderKLHunyuanVideo15",
          "'block_out_channels': [16, 32, 64, 128, 128]");

  @BeforeEach
  void prepare() {
    Torch.prepareThread(1);
  }

  /** Three frames of latents are 9 of pixels; CogVideoX's pass at once, with none before them. */
  @ParameterizedTest
  @CsvSource({
    "AutoencoderKLWan, 480, 832, 3",
    "AutoencoderKLCogVideoX, 160, 240, 5",
    "AutoencoderKLHunyuanVideo15, 192, 272, 3"
  })
  void whatIsHeldDoesNotGrowWithFramesAndIsSharedByRanks(
      String name, int height, int width, int frames, TestReporter reporter) throws Exception {
    String settings = "{'_class_name': '%s', %s}".formatted(name, EIGHTH.get(name));
    LayeredVae config =
        (LayeredVae) Vaes.read(ComponentConfig.parse(name, settings.replace('\'', '"')));
    try (NDManager weights = Torch.newManager()) {
      Sequence layers = config.decoderLayers(weights, new RandomWeights());
      int rows = height / config.scale();
      int columns = width / config.scale();
      Latents few = new Latents(frames, config.latentChannels(), rows, columns);
      Latents many = new Latents(MANY, config.latentChannels(), rows, columns);
      long ofFew = held(config, layers, few, 1);
      long shared = held(config, layers, few, RANKS);
      long ofMany = held(config, layers, many, 1);
      reporter.publishEntry(
          name, "%d bytes, %d with 81 frames, %d on each of 4".formatted(ofFew, ofMany, shared));
      assertThat(ofMany / (double) ofFew).isLessThanOrEqualTo(1.2);
      assertThat(shared / (double) ofFew).isLessThanOrEqualTo(1.1 / RANKS);
    }
  }

  /** The most bytes of tensors at once, on any strip; pixels are handed over as they come. */
  private static long held(LayeredVae config, Sequence layers, Latents latents, int strips)
      throws Exception {
    AtomicLong peak = new AtomicLong();
    TestRanks.run(
        strips,
        LIMIT,
        world -> {
          List<Integer> all = IntStream.range(0, strips).boxed().toList();
          Strip strip = new RankStrip(world.group(Channel.VAE, all));
          Splitting.Share share = new Splitting.Share(new MeasuredStrip(strip, peak), 1);
          try (NDManager manager = Torch.newManager()) {
            NDArray given = latents.on(manager);
            new VideoPass(config.chunks(), config.tiling(), false, share)
                .run(manager, layers, given, pixels -> {});
            return given.getShape();
          }
        });
    assertThat(peak.get()).isPositive();
    return peak.get();
  }
}
