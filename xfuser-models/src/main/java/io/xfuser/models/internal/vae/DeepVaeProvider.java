package io.xfuser.models.internal.vae;

import io.xfuser.weights.ComponentConfig;
import java.util.Set;

/** Reads autoencoders that compress deeply. */
public final class DeepVaeProvider implements VaeProvider {
  @Override
  public Set<String> classNames() {
    return Set.of("AutoencoderDC");
  }

  @Override
  public Set<Ability> abilities() {
    return Set.of(Ability.PICTURES);
  }

  @Override
  public Vae read(ComponentConfig config) {
    return DeepVaeConfig.from(config);
  }
}
