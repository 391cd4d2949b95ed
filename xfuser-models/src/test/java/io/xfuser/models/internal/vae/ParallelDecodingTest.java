package io.xfuser.models.internal.vae;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.xfuser.internal.parallel.TestRanks;
import io.xfuser.model.VaeDecoder;
import io.xfuser.model.VaeDecoder.DecodeOptions;
import io.xfuser.models.contract.CoveringArray;
import io.xfuser.models.internal.vae.StripedDecoder.Latents;
import io.xfuser.models.internal.vae.StripedDecoder.Outcome;
import io.xfuser.nn.Range;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Torch;
import io.xfuser.weights.LoadOptions;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A picture in strips of rows; the largest pixel is 1 in all differences. */
class ParallelDecodingTest {
  private static final DecodeOptions WHOLE = new DecodeOptions(false, false);
  private static final DecodeOptions SLICED = new DecodeOptions(true, false);
  private static final DecodeOptions TILED = new DecodeOptions(false, true);
  private static final String CAUSAL = "qwenimage_tiny/vae";
  private static final Path SIGMA = VaeFixtures.directory("pixart_sigma_tiny/vae");

  @BeforeEach
  void prepare() {
    Torch.prepareThread(1);
  }

  /** Every decoder with a number of strips, of some height. */
  static Stream<Arguments> pictures() {
    return Stream.of(
            "pixart_sigma_tiny/vae", "vae_plain", "vae_sixteen", "vae_temporal", "vae_tiny", CAUSAL)
        .flatMap(
            vae ->
                CoveringArray.part(List.of(2, 3, 4, 5), vae.length(), 4).stream()
                    .flatMap(
                        strips ->
                            CoveringArray.part(List.of(strips, 7, 11), strips + vae.length(), 3)
                                .stream()
                                .map(height -> Arguments.of(vae, strips, height))));
  }

  @ParameterizedTest
  @MethodSource("pictures")
  void stripsEqualTheWholePicture(String vae, int strips, int height) throws Exception {
    try (AutoencoderKlDecoder decoder = open(VaeFixtures.directory(vae), ElementType.FLOAT32)) {
      Latents latents = new Latents(2, decoder.config().latentChannels(), height, 5);
      StripedDecoder striped = StripedDecoder.of(decoder, WHOLE);
      assertThat(difference(striped, strips, latents)).isLessThanOrEqualTo(1e-5);
    }
  }

  @Test
  void oneRowEachIsEnoughAndFewerAreRefused() throws Exception {
    try (AutoencoderKlDecoder decoder = open(SIGMA, ElementType.FLOAT32)) {
      StripedDecoder striped = StripedDecoder.of(decoder, WHOLE);
      assertThat(difference(striped, 3, new Latents(1, 4, 3, 1))).isLessThanOrEqualTo(1e-5);
      assertThatThrownBy(() -> striped.decode(3, new Latents(1, 4, 2, 5)))
          .hasRootCauseMessage("3 strips are too many for 2 rows of latents");
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 5})
  void picturesOneByOneAreDecodedInStripsToo(int strips) throws Exception {
    try (AutoencoderKlDecoder decoder = open(SIGMA, ElementType.FLOAT32)) {
      StripedDecoder striped = StripedDecoder.of(decoder, SLICED);
      assertThat(difference(striped, strips, new Latents(3, 4, 9, 4))).isLessThanOrEqualTo(1e-5);
    }
  }

  @ParameterizedTest
  @CsvSource({"2, 13, 9", "5, 9, 2", "4, 2, 13", "3, 8, 8"})
  void tilesOfSeveralStripsAreBitForBitThoseOfOne(int strips, int height, int width)
      throws Exception {
    try (AutoencoderKlDecoder decoder = open(SIGMA, ElementType.FLOAT32)) {
      Latents latents = new Latents(2, 4, height, width); // tiles of 8 × 8, 6 apart
      StripedDecoder striped = StripedDecoder.of(decoder, TILED);
      float[] shared = striped.decode(strips, latents).get(0).pixels().array();
      float[] alone = striped.decodeAlone(latents);
      if (Math.max(height, width) > 8) {
        assertThat(shared).isEqualTo(alone);
      } else {
        assertThat(VaeFixtures.relativeDifference(shared, alone)).isLessThanOrEqualTo(1e-5);
      }
    }
  }

  /** Tiles of 64 × 64 latents, 56 apart, each painted over those before it. */
  @Test
  void paintedTilesOfSeveralStripsAreBitForBitThoseOfOne() throws Exception {
    try (AutoencoderKlDecoder decoder =
        open(VaeFixtures.directory("vae_tiny"), ElementType.FLOAT32)) {
      Latents latents = new Latents(1, 16, 2, 57);
      StripedDecoder striped = StripedDecoder.of(decoder, TILED);
      assertThat(striped.decode(2, latents).get(0).pixels().array())
          .isEqualTo(striped.decodeAlone(latents));
    }
  }

  @ParameterizedTest
  @CsvSource({"BFLOAT16, 3e-2", "FLOAT16, 4e-3"})
  void halfPrecisionIsAsFarFromTheWholePictureAsItsRoundings(ElementType type, double tolerance)
      throws Exception {
    try (AutoencoderKlDecoder decoder = open(SIGMA, type)) {
      StripedDecoder striped = StripedDecoder.of(decoder, WHOLE);
      assertThat(difference(striped, 3, new Latents(2, 4, 7, 5))).isLessThanOrEqualTo(tolerance);
    }
  }

  @ParameterizedTest
  @CsvSource({"vae_temporal, 9, 2", "vae_temporal, 3, 5", "vae_sixteen, 9, 4", "vae_plain, 2, 3"})
  void framesEqualThoseOfOneStrip(String vae, int frames, int strips) throws Exception {
    try (AutoencoderKlDecoder decoder = open(VaeFixtures.directory(vae), ElementType.FLOAT32)) {
      VaeDecoder video = new FramesDecoder(decoder);
      StripedDecoder striped = StripedDecoder.of(video, new DecodeOptions(false, false, frames));
      Latents latents = new Latents(frames, decoder.config().latentChannels(), 5, 3);
      assertThat(difference(striped, strips, latents)).isLessThanOrEqualTo(1e-5);
    }
  }

  @Test
  void framesThatStandForThemselvesAreSharedOutWithoutHalos() throws Exception {
    try (AutoencoderKlDecoder decoder = open(SIGMA, ElementType.FLOAT32)) {
      VaeDecoder video = new FramesDecoder(decoder);
      List<Outcome> strips =
          StripedDecoder.of(video, new DecodeOptions(false, false, 5))
              .decode(2, new Latents(5, 4, 4, 3));
      assertThat(strips.get(0).sentBytes()).isZero();
      assertThat(strips.get(1).sentBytes()).isEqualTo(4L * 3 * 3 * 32 * 24); // its frames alone
    }
  }

  @ParameterizedTest
  @CsvSource({"pixart_sigma_tiny/vae, 3, 7", "vae_plain, 2, 5", "vae_sixteen, 4, 11"})
  void bytesSentAreThoseOfTheFormula(String vae, int strips, int height) throws Exception {
    try (AutoencoderKlDecoder decoder = open(VaeFixtures.directory(vae), ElementType.FLOAT32)) {
      Latents latents = new Latents(2, decoder.config().latentChannels(), height, 6);
      List<Outcome> sent = StripedDecoder.of(decoder, WHOLE).decode(strips, latents);
      VaeCosts costs = new VaeCosts((AutoencoderKlConfig) decoder.config(), 2, height, 6);
      for (int strip = 0; strip < strips; strip++) {
        long expected = costs.sent(strip, strips);
        assertThat(sent.get(strip).sentBytes()).as("strip %d", strip).isEqualTo(expected);
      }
    }
  }

  /** Widths 4, 8, 8 and 12, two residual blocks a level: norms of single positions send nothing. */
  @Test
  void aCausalDecoderSendsRowsOfItsConvolutionsAndItsKeysAndValues() throws Exception {
    try (AutoencoderKlDecoder decoder = open(VaeFixtures.directory(CAUSAL), ElementType.FLOAT32)) {
      int strips = 3;
      List<Outcome> sent =
          StripedDecoder.of(decoder, WHOLE).decode(strips, new Latents(2, 8, 7, 6));
      // channels by columns: the first, the middle, each level, and what follows its upsampling
      long halo =
          8 + 4 * 12 + 4 * 12 + 2 * (12 + 6 + 3 * 8) + 4 * (8 + 4 + 3 * 8) + 8 * (8 + 5 * 4);
      for (int strip = 0; strip < strips; strip++) {
        long rows = Range.of(7).shard(strip, strips).length();
        long neighbours = strip == 1 ? 2 : 1;
        long expected = neighbours * 4 * 2 * 6 * halo + (strips - 1L) * 8 * 2 * rows * 6 * 12;
        expected += strip == 0 ? 0 : 12L * 2 * rows * 8 * 6 * 8;
        assertThat(sent.get(strip).sentBytes()).as("strip %d", strip).isEqualTo(expected);
      }
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"SOCKET", "NCCL"})
  void messagesOfAllKindsGiveTheSameBits(TestRanks ranks) throws Exception {
    try (AutoencoderKlDecoder decoder = open(SIGMA, ElementType.FLOAT32)) {
      Latents latents = new Latents(2, 4, 9, 5);
      for (DecodeOptions options : List.of(WHOLE, TILED)) {
        StripedDecoder striped = StripedDecoder.of(decoder, options);
        assertThat(striped.decode(ranks, 3, latents)).isEqualTo(striped.decode(3, latents));
      }
    }
  }

  @Test
  void fourStripsHoldAQuarterOfTheActivations() throws Exception {
    try (AutoencoderKlDecoder decoder = open(SIGMA, ElementType.FLOAT32)) {
      Latents latents = new Latents(1, 4, 64, 6); // 16 rows each
      AtomicLong alone = new AtomicLong();
      AtomicLong shared = new AtomicLong();
      new StripedDecoder(decoder, WHOLE, strip -> new MeasuredStrip(strip, alone))
          .decodeAlone(latents);
      new StripedDecoder(decoder, WHOLE, strip -> new MeasuredStrip(strip, shared))
          .decode(4, latents);
      assertThat(shared.get()).isPositive();
      assertThat(shared.get() / (double) alone.get()).isLessThanOrEqualTo(1.1 / 4);
    }
  }

  private static double difference(StripedDecoder striped, int strips, Latents latents)
      throws Exception {
    List<Outcome> outcomes = striped.decode(strips, latents);
    for (Outcome other : outcomes.subList(1, strips)) {
      assertThat(other.pixels().hasRemaining()).isFalse();
    }
    float[] expected = striped.decodeAlone(latents);
    assertThat(outcomes.get(0).pixels().array()).hasSameSizeAs(expected);
    return VaeFixtures.relativeDifference(outcomes.get(0).pixels().array(), expected);
  }

  private static AutoencoderKlDecoder open(Path directory, ElementType type) {
    return AutoencoderKlDecoder.open(directory, LoadOptions.of(type));
  }
}
