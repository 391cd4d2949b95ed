package io.xfuser.models.internal.vae;

import com.fasterxml.jackson.databind.json.JsonMapper;
import io.xfuser.failure.ModelException;
import io.xfuser.model.VaeDecoder.Colors;
import io.xfuser.weights.ComponentConfig;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * Which colours an autoencoder's latents have: as its settings say, else as was published of the
 * space that their class, channels and scaling tell. Sources: {@code latent_colors.json} names one
 * for each.
 */
final class LatentColors {
  private static final String FACTORS = "latent_rgb_factors";
  private static final String BIAS = "latent_rgb_factors_bias";
  private static final String SCALING = "scaling_factor";
  private static final double USUAL_SCALING = 0.18215; // diffusers' default
  private static final int COLORS = 3;

  private LatentColors() {}

  /**
   * Those of the autoencoder that {@code config} describes.
   *
   * @param channels of its latents in the loop
   * @throws ModelException naming the setting, if it is no map of as many channels
   */
  static Colors of(ComponentConfig config, int channels) {
    if (config.has(FACTORS)) {
      Colors own = read(config);
      if (!own.known() || !fits(own, channels)) {
        throw new ModelException(
            "%s: %s must be red, green and blue of %d channels"
                .formatted(config.origin(), FACTORS, channels));
      }
      return own;
    }
    for (ComponentConfig space : published()) {
      Colors colors = read(space);
      boolean scaled =
          !space.has(SCALING)
              || space.getDouble(SCALING) == config.getDouble(SCALING, USUAL_SCALING);
      if (scaled
          && space.getStringList("classes").contains(config.className().orElse(""))
          && fits(colors, channels)) {
        return colors;
      }
    }
    return Colors.UNKNOWN;
  }

  /** Whether they are of so many channels, or of a square of latents in each place. */
  private static boolean fits(Colors colors, int channels) {
    int rows = colors.factors().size() / COLORS;
    int side = (int) Math.round(Math.sqrt((double) channels / rows));
    return side > 0 && side * side * rows == channels;
  }

  private static Colors read(ComponentConfig config) {
    List<Double> factors = new ArrayList<>();
    if (!(config.value(FACTORS) instanceof List<?> rows)) {
      throw wrong(config, FACTORS);
    }
    rows.forEach(row -> factors.addAll(color(config, FACTORS, row)));
    List<Double> bias =
        config.has(BIAS) ? color(config, BIAS, config.value(BIAS)) : List.of(0.0, 0.0, 0.0);
    return new Colors(factors, bias);
  }

  private static List<Double> color(ComponentConfig config, String name, Object row) {
    if (!(row instanceof List<?> numbers) || numbers.size() != COLORS) {
      throw wrong(config, name);
    }
    List<Double> color = new ArrayList<>();
    for (Object number : numbers) {
      if (!(number instanceof Number value) || !Double.isFinite(value.doubleValue())) {
        throw wrong(config, name);
      }
      color.add(value.doubleValue());
    }
    return color;
  }

  private static ModelException wrong(ComponentConfig config, String name) {
    return new ModelException(
        "%s: %s must be finite numbers for red, green and blue, but is %s"
            .formatted(config.origin(), name, config.text(name)));
  }

  private static List<ComponentConfig> published() {
    String name = "latent_colors.json";
    try (InputStream file =
        Objects.requireNonNull(LatentColors.class.getResourceAsStream(name), name)) {
      List<ComponentConfig> spaces = new ArrayList<>();
      new JsonMapper()
          .readTree(file)
          .forEach(space -> spaces.add(ComponentConfig.parse(name, space.toString())));
      return spaces;
    } catch (IOException e) {
      throw new UncheckedIOException(name, e);
    }
  }
}
