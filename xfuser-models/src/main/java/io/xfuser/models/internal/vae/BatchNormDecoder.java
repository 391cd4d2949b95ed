package io.xfuser.models.internal.vae;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.model.VaeDecoder;
import io.xfuser.nn.Strip;
import io.xfuser.torchscript.Program;
import io.xfuser.torchscript.TensorMap;
import java.util.Optional;

/**
 * Decodes normalised latents (B, 4·c, h, w).
 *
 * @param plain takes them as they were before, (B, c, 2·h, 2·w)
 * @param statistics of their channels
 * @param epsilon what is added to variances
 */
record BatchNormDecoder(VaeDecoder plain, TensorMap statistics, double epsilon)
    implements VaeDecoder {
  static final Program PROGRAM = Program.load(BatchNormDecoder.class, "latents.py");

  @Override
  public Optional<NDArray> decode(
      NDManager owner, NDArray latents, DecodeOptions options, Strip strip) {
    try (NDManager scope = owner.newSubManager()) {
      NDArray opened = PROGRAM.call(scope, "opened", latents, statistics, epsilon);
      return plain.decode(owner, opened, options, strip);
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
