package io.xfuser.models.addition;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.model.VaeDecoder;
import io.xfuser.model.VaeEncoder;
import io.xfuser.models.internal.vae.Vae;
import io.xfuser.models.internal.vae.VaeProvider;
import io.xfuser.models.internal.weights.ComponentWeights;
import io.xfuser.nn.Strip;
import io.xfuser.torchscript.Torch;
import io.xfuser.weights.ComponentConfig;
import java.util.Optional;
import java.util.Set;

/** Eight by eight pixels for each latent, of its first three channels. */
record AddedVae(String origin) implements Vae, VaeDecoder {
  private static final int SCALE = 8;

  @Override
  public int latentChannels() {
    return 4;
  }

  @Override
  public int scale() {
    return SCALE;
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
    return this;
  }

  @Override
  public VaeDecoder framesDecoder(ComponentWeights source) {
    return this;
  }

  @Override
  public Optional<NDArray> decode(
      NDManager owner, NDArray latents, DecodeOptions options, Strip strip) {
    try (NDManager scope = owner.newSubManager()) {
      NDArray colours = Torch.slice(scope, latents, 1, 0, 3); // (B, 3, h, w)
      NDArray pixels = Torch.alias(scope, colours).repeat(2, SCALE).repeat(3, SCALE);
      return Optional.of(Torch.copy(owner, pixels)); // (B, 3, H, W)
    }
  }

  @Override
  public long parameterBytes() {
    return 0;
  }

  @Override
  public void close() {
    // holds nothing
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
