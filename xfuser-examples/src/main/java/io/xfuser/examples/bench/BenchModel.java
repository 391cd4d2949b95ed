package io.xfuser.examples.bench;

import io.xfuser.failure.ArgumentException;
import io.xfuser.models.internal.adaln.AdaLn;
import io.xfuser.models.internal.adaln.AdaLnConfig;
import io.xfuser.models.internal.dit.DiT;
import io.xfuser.models.internal.dit.DiTConfig;
import io.xfuser.models.internal.flux.Flux;
import io.xfuser.models.internal.flux.FluxConfig;
import io.xfuser.models.internal.hunyuandit.HunyuanDiT;
import io.xfuser.models.internal.hunyuandit.HunyuanDiTConfig;
import io.xfuser.models.internal.latte.Latte;
import io.xfuser.models.internal.pixart.PixArt;
import io.xfuser.models.internal.sd3.SD3;
import io.xfuser.models.internal.sd3.SD3Config;
import io.xfuser.models.internal.weights.ComponentWeights;
import io.xfuser.models.internal.weights.Weights;
import io.xfuser.transformer.TransformerSpec;
import io.xfuser.weights.ComponentConfig;
import io.xfuser.weights.LoadOptions;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;

/**
 * A model whose step can be measured.
 *
 * @param reader makes the transformer of its config and weights
 */
record BenchModel(Reader reader) {
  /** Pixels along each side of a latent, and latents along each side of a token: alike in all. */
  static final int VAE_SCALE = 8;

  static final int PATCH_SIZE = 2;

  private static final Map<String, BenchModel> MODELS =
      new TreeMap<>(
          Map.of(
              "dit", new BenchModel((config, weights) -> new DiT(DiTConfig.from(config), weights)),
              "flux",
                  new BenchModel((config, weights) -> new Flux(FluxConfig.from(config), weights)),
              "hunyuandit",
                  new BenchModel(
                      (config, weights) -> new HunyuanDiT(HunyuanDiTConfig.from(config), weights)),
              "latte",
                  new BenchModel((config, weights) -> new Latte(AdaLnConfig.from(config), weights)),
              "pixart",
                  new BenchModel((config, weights) -> new AdaLn(PixArt.config(config), weights)),
              "sd3", new BenchModel((config, weights) -> new SD3(SD3Config.from(config), weights)),
              "sd35_medium",
                  new BenchModel((config, weights) -> new SD3(SD3Config.from(config), weights))));

  /**
   * The model called {@code name}.
   *
   * @throws ArgumentException listing the models there are
   */
  static BenchModel of(String name) {
    BenchModel model = MODELS.get(name);
    if (model == null) {
      throw new ArgumentException(
          "no model " + name + "; there are: " + String.join(", ", MODELS.keySet()));
    }
    return model;
  }

  /** Opens a transformer directory as diffusers writes it. */
  TransformerSpec<?> open(Path directory, LoadOptions loading) {
    return reader.read(
        ComponentConfig.read(directory.resolve("config.json")),
        ComponentWeights.open(directory, "diffusion_pytorch_model", loading).handedOut());
  }

  /** Makes a transformer. */
  interface Reader {
    TransformerSpec<?> read(ComponentConfig config, Weights weights);
  }
}
