package io.xfuser.models.internal.vae;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.internal.parallel.Channel;
import io.xfuser.internal.parallel.TestRanks;
import io.xfuser.internal.runtime.RankStrip;
import io.xfuser.model.VaeDecoder;
import io.xfuser.model.VaeDecoder.DecodeOptions;
import io.xfuser.model.VaeEncoder;
import io.xfuser.models.contract.CoveringArray;
import io.xfuser.models.internal.vae.StripedDecoder.Latents;
import io.xfuser.models.internal.vae.StripedDecoder.Outcome;
import io.xfuser.nn.Range;
import io.xfuser.nn.Strip;
import io.xfuser.testing.Pixels;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Torch;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Strips of a video's rows, whose frames pass one after the other, and what is held of them. */
class VideoStripsTest {
  private static final String WAN = "vae_wan";
  private static final String COGVIDEOX = "vae_cogvideox";
  private static final String HUNYUAN = "hunyuanvideo15_tiny/vae";
  private static final Map<String, Integer> CHANNELS = Map.of(WAN, 5, HUNYUAN, 8, COGVIDEOX, 4);

  @BeforeEach
  void prepare() {
    Torch.prepareThread(1);
  }

  @ParameterizedTest
  @CsvSource({
    "vae_wan, 5, 2, 7, false",
    "vae_wan, 5, 3, 35, true",
    "vae_wan22, 6, 3, 7, false",
    "vae_cogvideox, 4, 2, 7, false",
    "vae_cogvideox, 4, 3, 9, true",
    "qwenimage_tiny/vae, 8, 2, 3, false",
    "hunyuanvideo15_tiny/vae, 8, 4, 4, false",
    "hunyuanvideo15_tiny/vae, 8, 3, 19, true"
  })
  void stripsDecodeWhatOneDecodes(String vae, int channels, int strips, int rows, boolean tiled)
      throws Exception {
    try (VaeDecoder decoder = VideoVaeTest.decoder(vae, ElementType.FLOAT32)) {
      Latents latents = new Latents(2, channels, rows, 3);
      StripedDecoder striped = StripedDecoder.of(decoder, new DecodeOptions(false, tiled, 2));
      List<Outcome> outcomes = striped.decode(strips, latents);
      for (Outcome other : outcomes.subList(1, strips)) {
        assertThat(other.pixels().hasRemaining()).isFalse();
      }
      float[] expected = striped.decodeAlone(latents);
      float[] got = outcomes.get(0).pixels().array();
      assertThat(got).hasSameSizeAs(expected);
      assertThat(VaeFixtures.relativeDifference(got, expected)).isLessThan(1e-5);
    }
  }

  @Tag("complete")
  @ParameterizedTest
  @CsvSource({
    "vae_wan, 5, 5, 5, false",
    "vae_cogvideox, 4, 5, 5, false",
    "hunyuanvideo15_tiny/vae, 8, 3, 7, false"
  })
  void soTheyDoOfOneRowEach(String vae, int channels, int strips, int rows, boolean tiled)
      throws Exception {
    stripsDecodeWhatOneDecodes(vae, channels, strips, rows, tiled);
  }

  @ParameterizedTest
  @CsvSource({"vae_wan, 2, 43", "vae_wan, 3, 24", "vae_wan22, 2, 48"})
  void stripsEncodeWhatOneEncodes(String vae, int strips, int rows) throws Exception {
    try (VaeEncoder encoder = VideoVaeTest.encoder(vae, ElementType.FLOAT32)) {
      List<float[]> all =
          TestRanks.IN_PROCESS.run(
              strips,
              world -> {
                List<Integer> ranks = IntStream.range(0, strips).boxed().toList();
                return encoded(encoder, rows, new RankStrip(world.group(Channel.VAE, ranks)));
              });
      all.subList(1, strips).forEach(other -> assertThat(other).isEmpty());
      float[] expected = encoded(encoder, rows, Strip.whole());
      assertThat(VaeFixtures.relativeDifference(all.get(0), expected)).isLessThan(1e-5);
    }
  }

  private static float[] encoded(VaeEncoder encoder, int rows, Strip strip) {
    try (NDManager owner = Torch.newManager()) {
      NDArray pixels = new Latents(5, 3, rows, 16).on(owner); // (5, 3, H, 16)
      DecodeOptions options = new DecodeOptions(false, false);
      return encoder.encode(owner, pixels, options, strip).map(Pixels::floats).orElse(new float[0]);
    }
  }

  /**
   * Widths 4, 8, 8 and 12, one residual block a level and one more; as in pictures, but F times.
   */
  @Test
  void stripsSendTheRowsOfEachFrameOnce() throws Exception {
    try (VaeDecoder decoder = VideoVaeTest.decoder(WAN, ElementType.FLOAT32)) {
      int strips = 3;
      DecodeOptions options = new DecodeOptions(false, false, 2);
      List<Outcome> sent =
          StripedDecoder.of(decoder, options).decode(strips, new Latents(2, 5, 7, 6));
      // channels by columns by frames (1 and 1, then 2, then 4): the first, the middle, each level
      long deep = 2 * (5 + 4 * 12 + 4 * 12);
      long second = (1 + 2) * 2 * (12 + 6 + 3 * 8);
      long third = (1 + 4) * 4 * (8 + 4 + 3 * 8);
      long last = (1 + 4) * 8 * (8 + 5 * 4);
      long halo = deep + second + third + last;
      for (int strip = 0; strip < strips; strip++) {
        long rows = Range.of(7).shard(strip, strips).length();
        long neighbours = strip == 1 ? 2 : 1;
        long expected = neighbours * 4 * 6 * halo + (strips - 1L) * 8 * 2 * rows * 6 * 12;
        expected += strip == 0 ? 0 : 12L * 5 * rows * 8 * 6 * 8;
        assertThat(sent.get(strip).sentBytes()).as("strip %d", strip).isEqualTo(expected);
      }
    }
  }

  /**
   * Of 480 × 832 pixels a twentieth of each side, or a tenth: what is held grows with their number
   * alone, and with keys and values of latents.
   */
  @ParameterizedTest
  @ValueSource(strings = {WAN, HUNYUAN, COGVIDEOX})
  void manyFramesNeedNoMoreThanFew(String vae) throws Exception {
    int rows = CoveringArray.ALL ? 6 : 3;
    int columns = CoveringArray.ALL ? 10 : 5;
    long few = held(vae, 5, rows, columns, 1); // 17 frames
    long many = held(vae, CoveringArray.ALL ? 21 : 8, rows, columns, 1); // 29, or 81
    assertThat(many / (double) few).isLessThanOrEqualTo(1.2);
  }

  @ParameterizedTest
  @ValueSource(strings = {WAN, HUNYUAN, COGVIDEOX})
  void fourStripsHoldAQuarter(String vae) throws Exception {
    int frames = CoveringArray.ALL ? 3 : 2;
    int columns = CoveringArray.ALL ? 2 : 1;
    long one = held(vae, frames, 64, columns, 1);
    long four = held(vae, frames, 64, columns, 4);
    assertThat(four / (double) one).isLessThanOrEqualTo(1.1 / 4);
  }

  /** The most bytes of tensors at once, on any strip; pixels are handed over as they come. */
  private static long held(String vae, int frames, int rows, int columns, int strips)
      throws Exception {
    AtomicLong peak = new AtomicLong();
    try (VaeDecoder decoder = VideoVaeTest.decoder(vae, ElementType.FLOAT32)) {
      DecodeOptions options = new DecodeOptions(false, false, frames);
      Latents latents =
          new Latents(frames, Objects.requireNonNull(CHANNELS.get(vae)), rows, columns);
      TestRanks.IN_PROCESS.run(
          strips,
          world -> {
            List<Integer> all = IntStream.range(0, strips).boxed().toList();
            Strip strip = new RankStrip(world.group(Channel.VAE, all));
            try (NDManager manager = Torch.newManager()) {
              NDArray given = latents.on(manager);
              decoder.decode(manager, given, options, new MeasuredStrip(strip, peak), pixels -> {});
              return given.getShape();
            }
          });
    }
    assertThat(peak.get()).isPositive();
    return peak.get();
  }
}
