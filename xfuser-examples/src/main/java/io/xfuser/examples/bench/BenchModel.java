package io.xfuser.examples.bench;

import io.xfuser.models.adaln.AdaLn;
import io.xfuser.models.adaln.AdaLnConfig;
import io.xfuser.models.dit.DiT;
import io.xfuser.models.dit.DiTConfig;
import io.xfuser.models.hunyuandit.HunyuanDiT;
import io.xfuser.models.hunyuandit.HunyuanDiTConfig;
import io.xfuser.models.latte.Latte;
import io.xfuser.models.pixart.PixArt;
import io.xfuser.models.sd3.SD3;
import io.xfuser.models.sd3.SD3Config;
import io.xfuser.torchscript.ElementType;
import io.xfuser.transformer.TransformerSpec;
import io.xfuser.weights.ComponentConfig;
import io.xfuser.weights.SafeTensors;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;

/** The models whose step can be measured. */
enum BenchModel {
  HUNYUANDIT(8),
  PIXART(8),
  LATTE(8),
  DIT(8),
  SD3(8),
  SD35_MEDIUM(8);

  private static final String WEIGHTS = "diffusion_pytorch_model";

  private final int vaeScale;

  BenchModel(int vaeScale) {
    this.vaeScale = vaeScale;
  }

  private TransformerSpec<?> spec(ComponentConfig config, SafeTensors weights) {
    return switch (this) {
      case HUNYUANDIT -> new HunyuanDiT(HunyuanDiTConfig.from(config), weights);
      case PIXART -> new AdaLn(PixArt.config(config), weights);
      case LATTE -> new Latte(AdaLnConfig.from(config), weights);
      case DIT -> new DiT(DiTConfig.from(config), weights);
      case SD3, SD35_MEDIUM -> new SD3(SD3Config.from(config), weights);
    };
  }

  /** Pixels along each side of a latent. */
  int vaeScale() {
    return vaeScale;
  }

  /** Latents along each side of a token: of all models here the same. */
  int patchSize() {
    return 2;
  }

  /** Opens a transformer directory as diffusers writes it. */
  TransformerSpec<?> open(Path directory, ElementType type) {
    return spec(
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
