package io.xfuser.models.internal.vae;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.xfuser.failure.ModelException;
import io.xfuser.model.VaeDecoder.Colors;
import io.xfuser.weights.ComponentConfig;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class LatentColorsTest {
  private static ComponentConfig config(String settings) {
    return ComponentConfig.parse("vae/config.json", "{" + settings + "}");
  }

  /** The first number of each space's map, by which they are told apart. */
  @ParameterizedTest
  @CsvSource({
    "AutoencoderKL, 4, '', 0.3512",
    "AutoencoderKLTemporalDecoder, 4, 0.18215, 0.3512",
    "AutoencoderKL, 4, 0.13025, 0.3651",
    "AutoencoderKL, 16, 1.5305, -0.0922",
    "AutoencoderKL, 16, 0.3611, -0.0346",
    "AutoencoderKLFlux2, 128, '', 0.0058",
    "AutoencoderKLWan, 16, '', -0.1299",
    "AutoencoderKLQwenImage, 16, '', -0.1299",
    "AutoencoderKLWan, 48, '', 0.0119",
    "AutoencoderKLHunyuanVideo, 16, 0.476986, -0.0395",
    "AutoencoderDC, 32, 0.41407, -0.002002",
    "AutoencoderKLCogVideoX, 16, 1.15258426, 0.1195",
  })
  void aSpaceIsToldByClassChannelsAndScaling(
      String kind, int channels, String scaling, double first) {
    String scaled = scaling.isEmpty() ? "" : ", \"scaling_factor\": " + scaling;
    Colors colors = LatentColors.of(config("\"_class_name\": \"" + kind + "\"" + scaled), channels);
    assertThat(colors.factors()).first().isEqualTo(first);
    assertThat(colors.bias()).hasSize(3);
  }

  @ParameterizedTest
  @CsvSource({
    "AutoencoderKL, 4, 1.0",
    "AutoencoderKL, 8, 0.18215",
    "AutoencoderTiny, 4, 1.0",
    "AutoencoderKLFlux2, 24, 1.0"
  })
  void ofOthersNothingIsKnown(String kind, int channels, String scaling) {
    ComponentConfig config =
        config("\"_class_name\": \"" + kind + "\", \"scaling_factor\": " + scaling);
    assertThat(LatentColors.of(config, channels).known()).isFalse();
  }

  @Test
  void settingsOfItsOwnComeFirst() {
    String own = "\"latent_rgb_factors\": [[1, 2, 3], [4, 5, 6.5]]";
    assertThat(LatentColors.of(config(own), 8))
        .isEqualTo(new Colors(List.of(1.0, 2.0, 3.0, 4.0, 5.0, 6.5), List.of(0.0, 0.0, 0.0)));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "[[1, 2, 3]] | 'latent_rgb_factors must be red, green and blue of 6 channels'",
        "[] | 'latent_rgb_factors must be red, green and blue of 6 channels'",
        "[[1, 2]] | 'must be finite numbers for red, green and blue, but is [[1,2]]'",
        "[[1, 2, \"x\"]] | 'must be finite numbers'",
        "[[1, 2, NaN]] | 'must be finite numbers'",
        "{} | 'must be finite numbers'"
      })
  void oneThatIsNoMapIsRefused(String factors, String said) {
    assertThatThrownBy(() -> LatentColors.of(config("\"latent_rgb_factors\": " + factors), 6))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("vae/config.json")
        .hasMessageContaining(said);
  }
}
