package io.xfuser.models.internal.parts;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.models.internal.weights.WeightMap;
import io.xfuser.models.internal.weights.Weights;
import io.xfuser.nn.Patchify;
import io.xfuser.torchscript.TensorMap;
import io.xfuser.transformer.Head;
import io.xfuser.transformer.Hidden;
import java.util.function.Function;
import java.util.function.UnaryOperator;

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
  /**
   * Reads {@code norm_out.linear}, and what {@code projection} reads.
   *
   * @param width C
   */
  public static <C> ModulatedHead<C> load(
      Weights weights,
      long width,
      UnaryOperator<WeightMap> projection,
      Function<C, NDArray> condition) {
    return new ModulatedHead<>(
        WeightMap.of(weights, w -> projection.apply(w.linear("norm_out.linear", 2 * width, width))),
        condition);
  }

  /**
   * The same with a projection whose rows are laid out as diffusers packs latents.
   *
   * @param values of a token, and C
   */
  public static <C> ModulatedHead<C> packed(
      Weights weights, Patchify patchify, long[] values, Function<C, NDArray> condition) {
    long width = values[1];
    return load(
        weights,
        width,
        w ->
            w.tensor(patchify::unpackedRows, "proj_out.weight", values)
                .tensor(patchify::unpackedRows, "proj_out.bias", values[0]),
        condition);
  }

  @Override
  public NDArray predict(NDManager owner, Hidden x, C conditioning) {
    return GridPositions.PROGRAM.call( // (B, l, c)
        owner, "predict", x.image(), condition.apply(conditioning), weights);
  }
}
