package io.xfuser.models.internal.vae;

import io.xfuser.weights.ComponentConfig;
import java.util.Set;

/** Reads autoencoders of videos that repeat what is outside: those of HunyuanVideo 1.5. */
public final class ReplicatingVaeProvider implements VaeProvider {
  @Override
  public Set<String> classNames() {
    return Set.of("AutoencoderKLHunyuanVideo15");
  }

  @Override
  public Set<Ability> abilities() {
    return Set.of(Ability.VIDEOS);
  }

  @Override
  public Vae read(ComponentConfig config) {
    return ReplicatingVaeConfig.from(config);
  }
}
