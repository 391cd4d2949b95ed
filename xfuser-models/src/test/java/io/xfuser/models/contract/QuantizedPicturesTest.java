package io.xfuser.models.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.config.ModelConfig;
import io.xfuser.config.OutputType;
import io.xfuser.config.ParallelConfig;
import io.xfuser.pipeline.Generation;
import io.xfuser.pipeline.XDiTParallel;
import io.xfuser.testing.Pixels;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Torch;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * What weights of 8 bits do to pictures: how far they are from those of fp32, and those of several
 * ranks from those of one. Another order of sums rounds a token's number up instead of down now and
 * then, so ranks are not as near one another as in fp32; they are as near fp32 as one rank is, and
 * much nearer to it than to fp32.
 */
class QuantizedPicturesTest {
  private static final double NEARER = 8; // dB
  private static final ParallelConfig RANKS =
      ParallelConfig.builder().dataDegree(2).tensorDegree(2).build();

  /** PSNR in dB with all quantized, and with the text encoders alone. */
  @ParameterizedTest
  @CsvSource({
    "pixart_sigma_tiny, 38, 40",
    "sd35_medium_tiny, 36, 36",
    "flux_dev_tiny, 39, 40",
    "dit_tiny, 51, 100"
  })
  void picturesAreAlmostThoseOfFloat32(String model, double least, double leastOfText) {
    ModelConfig plain = ModelConfig.builder(Requests.directory(model)).build();
    ModelConfig quantized = plain.toBuilder().quantize(ElementType.INT8).build();
    ModelConfig text = plain.toBuilder().quantizeTextEncoder(ElementType.INT8).build();
    try (NDManager manager = Torch.newManager()) {
      NDArray exact = draw(manager, EngineConfig.builder(plain).build(), model);
      NDArray ours = draw(manager, EngineConfig.builder(quantized).build(), model);
      double distance = Pixels.psnr(ours, exact);
      assertThat(distance).isBetween(least, least + 10);
      assertThat(Pixels.psnr(draw(manager, EngineConfig.builder(text).build(), model), exact))
          .isGreaterThan(leastOfText);
      NDArray ranks = draw(manager, EngineConfig.builder(quantized).parallel(RANKS).build(), model);
      assertThat(Pixels.psnr(ranks, exact)).isCloseTo(distance, within(0.5));
      assertThat(Pixels.psnr(ranks, ours)).isGreaterThan(distance + NEARER);
    }
  }

  @Tag("complete")
  @ParameterizedTest
  @CsvSource({
    "sd3_tiny, 32.5, 34",
    "flux2_klein_tiny, 50, 50",
    "hunyuandit_tiny, 42, 43",
    "latte_tiny, 44.5, 47"
  })
  void soTheyAreOfOtherTransformers(String model, double least, double leastOfText) {
    picturesAreAlmostThoseOfFloat32(model, least, leastOfText);
  }

  /** The noise is drawn in the run's type. */
  @ParameterizedTest
  @EnumSource(names = {"BFLOAT16", "FLOAT16"})
  void picturesAreAlmostThoseOfTheirType(ElementType type) {
    String model = "pixart_sigma_tiny";
    ModelConfig plain = ModelConfig.builder(Requests.directory(model)).build();
    ModelConfig quantized = plain.toBuilder().quantize(ElementType.INT8).build();
    try (NDManager manager = Torch.newManager()) {
      EngineConfig half = EngineConfig.builder(plain).runtime(r -> r.dtype(type)).build();
      NDArray exact = draw(manager, half, model);
      NDArray ours = draw(manager, half.toBuilder().model(quantized).build(), model);
      assertThat(Pixels.psnr(ours, exact)).isBetween(32.0, 46.0);
    }
  }

  private static NDArray draw(NDManager manager, EngineConfig engine, String model) {
    InputConfig input =
        Requests.two(model).toBuilder().numInferenceSteps(3).outputType(OutputType.PT).build();
    try (XDiTParallel ranks = XDiTParallel.inProcess(engine);
        Generation generation = ranks.generate(input)) {
      return Torch.cast(manager, generation.tensor(), ElementType.FLOAT32);
    }
  }
}
