package io.xfuser.models.internal.vae;

import io.xfuser.failure.ModelException;
import io.xfuser.internal.registry.Registry;
import io.xfuser.models.internal.vae.VaeProvider.Ability;
import io.xfuser.weights.ComponentConfig;
import java.util.Set;

/** The autoencoders by the names of diffusers' classes. */
public final class Vaes {
  private Vaes() {}

  /** The classes of those that have {@code abilities}. */
  public static Set<String> with(Set<Ability> abilities) {
    return all().classNames(provider -> provider.abilities().containsAll(abilities));
  }

  /**
   * The autoencoder that {@code config} describes.
   *
   * @throws ModelException if its class is not known, or naming the setting that is wrong
   */
  public static Vae read(ComponentConfig config) {
    return all()
        .require(config.getString("_class_name"), config.origin() + ": _class_name")
        .read(config);
  }

  private static Registry<VaeProvider> all() {
    return Registry.of(VaeProvider.class, VaeProvider::classNames);
  }
}
