package io.xfuser.models.internal.vae;

import io.xfuser.weights.ComponentConfig;
import java.util.Set;

/** Reads autoencoders whose pictures and frames stand for themselves. */
public final class AutoencoderKlProvider implements VaeProvider {
  @Override
  public Set<String> classNames() {
    return Set.of("AutoencoderKL", "AutoencoderTiny");
  }

  @Override
  public Set<Ability> abilities() {
    return Set.of(Ability.PICTURES, Ability.FRAMES);
  }

  @Override
  public Vae read(ComponentConfig config) {
    return AutoencoderKlConfig.from(config);
  }
}
