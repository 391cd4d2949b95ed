package io.xfuser.testing;

import ai.djl.modality.cv.Image;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Torch;
import java.util.List;

/** How far tensors of the same shape are apart. */
public final class Pixels {
  private Pixels() {}

  /** The largest absolute difference; NaN counts as infinitely far. */
  public static double largestDifference(NDArray a, NDArray b) {
    float[] x = floats(a);
    float[] y = floats(b);
    requireSameShape(a, b);
    double largest = 0;
    for (int i = 0; i < x.length; i++) {
      double difference = Math.abs((double) x[i] - y[i]);
      largest = Math.max(largest, Double.isNaN(difference) ? Double.POSITIVE_INFINITY : difference);
    }
    return largest;
  }

  /** The largest absolute value. */
  public static double largest(NDArray tensor) {
    double largest = 0;
    for (float value : floats(tensor)) {
      largest = Math.max(largest, Math.abs(value));
    }
    return largest;
  }

  /** The peak signal-to-noise ratio in dB of values between 0 and 1. */
  public static double psnr(NDArray a, NDArray b) {
    float[] x = floats(a);
    float[] y = floats(b);
    requireSameShape(a, b);
    double sum = 0;
    for (int i = 0; i < x.length; i++) {
      sum += Math.pow((double) x[i] - y[i], 2);
    }
    return -10 * Math.log10(sum / x.length);
  }

  /** All elements, whatever their type. */
  public static float[] floats(NDArray tensor) {
    try (var scope = tensor.getManager().newSubManager()) {
      return Torch.contiguous(scope, Torch.cast(scope, tensor, ElementType.FLOAT32)).toFloatArray();
    }
  }

  /** The first of {@code images} as (1, 3, H, W), 0 to 1. */
  public static NDArray first(NDManager manager, List<Image> images) {
    NDArray one = images.get(0).toNDArray(manager).toType(DataType.FLOAT32, false).div(255);
    return one.transpose(2, 0, 1).expandDims(0);
  }

  private static void requireSameShape(NDArray a, NDArray b) {
    if (!a.getShape().equals(b.getShape())) {
      throw new AssertionError("shapes differ: " + a.getShape() + " and " + b.getShape());
    }
  }
}
