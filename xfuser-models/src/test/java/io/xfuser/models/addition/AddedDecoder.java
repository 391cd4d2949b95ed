package io.xfuser.models.addition;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.model.VaeDecoder;
import io.xfuser.nn.Strip;
import io.xfuser.torchscript.Torch;
import java.util.Optional;

/** Eight by eight pixels for each latent, of its first three channels and a number. */
record AddedDecoder(float added) implements VaeDecoder {
  static final int SCALE = 8;

  @Override
  public Optional<NDArray> decode(
      NDManager owner, NDArray latents, DecodeOptions options, Strip strip) {
    try (NDManager scope = owner.newSubManager()) {
      NDArray colours = Torch.slice(scope, latents, 1, 0, 3); // (B, 3, h, w)
      NDArray pixels = Torch.alias(scope, colours).repeat(2, SCALE).repeat(3, SCALE);
      return Optional.of(Torch.copy(owner, pixels.add(added))); // (B, 3, H, W)
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
}
