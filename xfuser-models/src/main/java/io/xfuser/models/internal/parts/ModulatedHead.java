package io.xfuser.models.internal.parts;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.torchscript.TensorMap;
import io.xfuser.transformer.Head;
import io.xfuser.transformer.Hidden;
import java.util.function.Function;

/**
 * Layer norm, modulated for each batch row ({@code AdaLayerNormContinuous} in diffusers), and the
 * output projection.
 *
 * @param weights of the modulation {@code norm_out.linear} (2C, C), scale first, and the projection
 *     {@code proj_out} (c, C)
 * @param condition what the modulation is made of, (B, C), after its SiLU
 * @param <C> the model's conditioning
 */
public record ModulatedHead<C>(TensorMap weights, Function<C, NDArray> condition)
    implements Head<C> {
  @Override
  public NDArray predict(NDManager owner, Hidden x, C conditioning) {
    return GridPositions.PROGRAM.call( // (B, l, c)
        owner, "predict", x.image(), condition.apply(conditioning), weights);
  }
}
