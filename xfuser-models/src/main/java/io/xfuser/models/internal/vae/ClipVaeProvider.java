package io.xfuser.models.internal.vae;

import io.xfuser.weights.ComponentConfig;
import java.util.Set;

/** Reads autoencoders of videos whose norms look at the latents. */
public final class ClipVaeProvider implements VaeProvider {
  @Override
  public Set<String> classNames() {
    return Set.of("AutoencoderKLCogVideoX");
  }

  @Override
  public Set<Ability> abilities() {
    return Set.of(Ability.CLIPS);
  }

  @Override
  public Vae read(ComponentConfig config) {
    return ClipVaeConfig.from(config);
  }
}
