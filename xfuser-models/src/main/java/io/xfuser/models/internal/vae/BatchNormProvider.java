package io.xfuser.models.internal.vae;

import io.xfuser.weights.ComponentConfig;
import java.util.Set;

/** Reads autoencoders whose latents are normalised, four of a channel in one place. */
public final class BatchNormProvider implements VaeProvider {
  @Override
  public Set<String> classNames() {
    return Set.of("AutoencoderKLFlux2");
  }

  @Override
  public Set<Ability> abilities() {
    return Set.of(Ability.PICTURES);
  }

  @Override
  public Vae read(ComponentConfig config) {
    return BatchNormVae.from(config.unquantized());
  }
}
