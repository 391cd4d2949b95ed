package io.xfuser.models.internal.vae;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.failure.ModelException;
import io.xfuser.model.VaeDecoder;
import io.xfuser.model.VaeEncoder;
import io.xfuser.models.internal.weights.ComponentWeights;
import io.xfuser.models.internal.weights.Weights;
import io.xfuser.weights.ComponentConfig;
import java.util.List;

/**
 * An autoencoder of videos whose frames see those before them, of which there is the decoder alone:
 * whoever asks it to encode is refused.
 */
interface DecodingVae extends LayeredVae {
  @Override
  default VaeDecoder framesDecoder(ComponentWeights source) {
    return new CausalDecoder(AutoencoderKlDecoder.open(this, source));
  }

  @Override
  default Vae unshifted() {
    return this;
  }

  @Override
  default boolean draws() {
    return true;
  }

  @Override
  default VaeDecoder.Footprint encoderFootprint() {
    return VaeDecoder.Footprint.UNKNOWN;
  }

  @Override
  default Sequence encoderLayers(NDManager owner, ComponentConfig settings, Weights weights) {
    throw refused();
  }

  @Override
  default VaeEncoder encoder(ComponentConfig config, ComponentWeights source) {
    throw refused();
  }

  @Override
  default NDArray scaled(NDManager owner, NDArray encoded, List<NDArray> noise) {
    throw refused();
  }

  private ModelException refused() {
    return new ModelException(origin() + ": an encoder of this autoencoder is not supported");
  }
}
