package io.xfuser.models.internal.parts;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.torchscript.TensorList;
import io.xfuser.transformer.Head;
import io.xfuser.transformer.Hidden;
import java.util.function.Function;

/**
 * Layer norm, modulated for each batch row ({@code AdaLayerNormContinuous} in diffusers), and the
 * output projection.
 *
 * @param weights of the modulation (2C, C), scale first, and of the projection (c, C), each with
 *     its bias
 * @param condition what the modulation is made of, (B, C), after its SiLU
 * @param <C> the model's conditioning
 */
public record ModulatedHead<C>(TensorList weights, Function<C, NDArray> condition)
    implements Head<C> {
  @Override
  public NDArray predict(NDManager owner, Hidden x, C conditioning) {
    return GridPositions.PROGRAM.call( // (B, l, c)
        owner, "predict", x.image(), condition.apply(conditioning), weights);
  }
}
