package io.xfuser.models.internal.sana;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.models.internal.weights.Cut;
import io.xfuser.models.internal.weights.ForwardingWeights;
import io.xfuser.models.internal.weights.InFile;
import io.xfuser.models.internal.weights.Weights;
import io.xfuser.torchscript.Torch;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** A block's tensors as matrices: kernels (out, in, 1, 1) and (out, 1, 3, 3). */
final class SanaWeights extends ForwardingWeights {
  SanaWeights(Weights block) {
    super(block);
  }

  @Override
  public NDArray get(NDManager owner, Cut cut, String name, long... shape) {
    long[] left = shape.clone();
    left[cut.dim()] = cut.length();
    try (NDManager scope = owner.newSubManager()) {
      NDArray stored = weights.get(scope, cut, name, stored(name, shape));
      return Torch.view(owner, stored, left);
    }
  }

  @Override
  public Optional<InFile> inFile(NDManager owner, Cut cut, String name, long... shape) {
    return name.startsWith("ff.") ? Optional.empty() : weights.inFile(owner, cut, name, shape);
  }

  @Override
  public @Nullable Weights outline() {
    Weights outline = weights.outline();
    return outline == null ? null : new SanaWeights(outline);
  }

  private static long[] stored(String name, long[] shape) {
    if (!name.startsWith("ff.") || shape.length == 1) {
      return shape;
    }
    return name.startsWith("ff.conv_depth")
        ? new long[] {shape[0], 1, 3, 3}
        : new long[] {shape[0], shape[1], 1, 1};
  }
}
