package io.xfuser.models.internal.vae;

import io.xfuser.weights.ComponentConfig;
import java.util.Set;

/** Reads autoencoders of videos, of which pictures are the first frame. */
public final class CausalVaeProvider implements VaeProvider {
  private static final String VIDEOS = "AutoencoderKLWan";

  @Override
  public Set<String> classNames() {
    return Set.of("AutoencoderKLQwenImage", VIDEOS);
  }

  @Override
  public Set<Ability> abilities() {
    return Set.of(Ability.WHITENED, Ability.VIDEOS);
  }

  @Override
  public Vae read(ComponentConfig config) {
    return CausalVaeConfig.from(config, config.className().filter(VIDEOS::equals).isPresent());
  }
}
