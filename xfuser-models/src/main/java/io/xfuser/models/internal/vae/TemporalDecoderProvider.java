package io.xfuser.models.internal.vae;

import io.xfuser.weights.ComponentConfig;
import java.util.Set;

/** Reads autoencoders whose frames depend on their neighbours. */
public final class TemporalDecoderProvider implements VaeProvider {
  @Override
  public Set<String> classNames() {
    return Set.of("AutoencoderKLTemporalDecoder");
  }

  @Override
  public Set<Ability> abilities() {
    return Set.of(Ability.FRAMES);
  }

  @Override
  public Vae read(ComponentConfig config) {
    return AutoencoderKlConfig.from(config);
  }
}
