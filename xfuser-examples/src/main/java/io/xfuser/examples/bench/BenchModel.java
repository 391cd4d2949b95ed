package io.xfuser.examples.bench;

import io.xfuser.models.dit.DiT;
import io.xfuser.models.dit.DiTConfig;
import io.xfuser.models.flux.Flux;
import io.xfuser.models.flux.FluxConfig;
import io.xfuser.models.pixart.PixArt;
import io.xfuser.models.pixart.PixArtConfig;
import io.xfuser.models.sd3.SD3;
import io.xfuser.models.sd3.SD3Config;
import io.xfuser.torchscript.ElementType;
import io.xfuser.transformer.TransformerSpec;
import io.xfuser.weights.ComponentConfig;
import io.xfuser.weights.SafeTensors;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.function.BiFunction;
import java.util.stream.Collectors;

/** The models whose step can be measured. */
enum BenchModel {
  PIXART(8, 2, (config, weights) -> new PixArt(PixArtConfig.from(config), weights)),
  DIT(8, 2, (config, weights) -> new DiT(DiTConfig.from(config), weights)),
  SD3(8, 2, (config, weights) -> new SD3(SD3Config.from(config), weights)),
  SD35_MEDIUM(8, 2, (config, weights) -> new SD3(SD3Config.from(config), weights)),
  FLUX(8, 2, (config, weights) -> new Flux(FluxConfig.from(config), weights));

  private static final String WEIGHTS = "diffusion_pytorch_model";

  private final int vaeScale;
  private final int patchSize;
  private final BiFunction<ComponentConfig, SafeTensors, TransformerSpec<?>> spec;

  BenchModel(
      int vaeScale,
      int patchSize,
      BiFunction<ComponentConfig, SafeTensors, TransformerSpec<?>> spec) {
    this.vaeScale = vaeScale;
    this.patchSize = patchSize;
    this.spec = spec;
  }

  /** Pixels along each side of a latent. */
  int vaeScale() {
    return vaeScale;
  }

  /** Latents along each side of a token. */
  int patchSize() {
    return patchSize;
  }

  /** Opens a transformer directory as diffusers writes it. */
  TransformerSpec<?> open(Path directory, ElementType type) {
    return spec.apply(
        ComponentConfig.read(directory.resolve("config.json")),
        SafeTensors.open(directory, WEIGHTS, type));
  }

  /**
   * The model called {@code name}.
   *
   * @throws IllegalArgumentException listing the models there are
   */
  static BenchModel of(String name) {
    for (BenchModel model : values()) {
      if (model.id().equals(name)) {
        return model;
      }
    }
    String known = Arrays.stream(values()).map(BenchModel::id).collect(Collectors.joining(", "));
    throw new IllegalArgumentException("no model " + name + "; there are: " + known);
  }

  private String id() {
    return name().toLowerCase(Locale.ROOT);
  }
}
