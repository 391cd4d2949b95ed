package io.xfuser.models.internal.vae;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.model.VaeDecoder.DecodeOptions;
import io.xfuser.model.VaeEncoder;
import io.xfuser.nn.Strip;
import io.xfuser.torchscript.TensorMap;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Encodes to normalised latents (B, 4·c, h, w).
 *
 * @param plain gives them as they are before, (B, c, 2·h, 2·w)
 * @param statistics of their channels
 * @param epsilon what is added to variances
 */
record BatchNormEncoder(VaeEncoder plain, TensorMap statistics, double epsilon)
    implements VaeEncoder {
  @Override
  public Optional<NDArray> encode(
      NDManager owner, NDArray pixels, DecodeOptions options, Strip strip) {
    return plain.encode(owner, pixels, options, strip);
  }

  @Override
  public NDArray latents(NDManager owner, NDArray encoded, @Nullable NDArray noise) {
    try (NDManager scope = owner.newSubManager()) {
      NDArray middle = plain.latents(scope, encoded, noise);
      return BatchNormDecoder.PROGRAM.call(owner, "closed", middle, statistics, epsilon);
    }
  }

  @Override
  public long parameterBytes() {
    return plain.parameterBytes() + statistics.bytes();
  }

  @Override
  public void close() {
    statistics.close();
    plain.close();
  }
}
