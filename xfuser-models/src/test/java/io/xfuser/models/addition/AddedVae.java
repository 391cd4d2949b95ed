package io.xfuser.models.addition;

import io.xfuser.model.VaeDecoder;
import io.xfuser.model.VaeEncoder;
import io.xfuser.models.internal.vae.Vae;
import io.xfuser.models.internal.vae.VaeProvider;
import io.xfuser.models.internal.weights.ComponentWeights;
import io.xfuser.weights.ComponentConfig;
import java.util.Set;

/** Of {@link AddedDecoder}. */
record AddedVae(String origin) implements Vae {
  @Override
  public int latentChannels() {
    return 4;
  }

  @Override
  public int scale() {
    return AddedDecoder.SCALE;
  }

  @Override
  public VaeDecoder.Footprint footprint() {
    return VaeDecoder.Footprint.UNKNOWN;
  }

  @Override
  public void check(VaeDecoder.DecodeOptions options) {
    // has all ways
  }

  @Override
  public void check(ComponentWeights source) {
    // needs no weights
  }

  @Override
  public boolean draws() {
    return false;
  }

  @Override
  public VaeDecoder.Footprint encoderFootprint() {
    return VaeDecoder.Footprint.UNKNOWN;
  }

  @Override
  public void checkEncoder(ComponentConfig config, ComponentWeights source) {
    throw new UnsupportedOperationException("it only decodes");
  }

  @Override
  public VaeEncoder encoder(ComponentConfig config, ComponentWeights source) {
    throw new UnsupportedOperationException("it only decodes");
  }

  @Override
  public Vae unshifted() {
    return this;
  }

  @Override
  public VaeDecoder decoder(ComponentWeights source) {
    return new AddedDecoder(0);
  }

  @Override
  public VaeDecoder framesDecoder(ComponentWeights source) {
    return new AddedDecoder(0);
  }

  /** Reads it. */
  public static final class Provider implements VaeProvider {
    @Override
    public Set<String> classNames() {
      return Set.of("AddedVae");
    }

    @Override
    public Set<Ability> abilities() {
      return Set.of(Ability.PICTURES);
    }

    @Override
    public Vae read(ComponentConfig config) {
      return new AddedVae(config.origin());
    }
  }
}
