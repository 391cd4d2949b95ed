package io.xfuser.examples.gpucheck;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.internal.device.DeviceClock;
import io.xfuser.internal.device.Gpus;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Program;
import io.xfuser.torchscript.Torch;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/**
 * What is measured on one device, by its own clock.
 *
 * @param device where
 * @param type the element type of what is computed
 * @param times how often
 */
record Measured(Device device, ElementType type, int times) {
  static final Program PROGRAM = Program.load(Measured.class, "fusing.py");

  private static final int WARM_UP = 2;

  /** On the first GPU in bfloat16, or on the CPU in float32 and once. */
  static Measured on(Part part) {
    Torch.prepareThread(1);
    Device device = part.isCuda() ? Device.gpu(0) : Device.cpu();
    Gpus.enter(device);
    return part.isCuda()
        ? new Measured(device, ElementType.BFLOAT16, 15)
        : new Measured(device, ElementType.FLOAT32, 1);
  }

  /** Normal numbers of that deviation, the same for the same shape. */
  NDArray normal(NDManager owner, double deviation, long... shape) {
    return new RandomWeights(device, type, "").onDevice(owner, shape, 1, 0, deviation);
  }

  /** The median of the milliseconds that {@code work} takes, after two that warm up. */
  double millis(Function<NDManager, NDArray> work) {
    try (DeviceClock clock = DeviceClock.of(device)) {
      List<DeviceClock.Mark> marks = new ArrayList<>();
      for (int i = -WARM_UP; i < times; i++) {
        marks.add(clock.mark());
        try (NDManager scope = Torch.newManager()) {
          NDArray unused = work.apply(scope);
        }
        marks.add(clock.mark());
      }
      double[] millis = new double[times];
      for (int i = 0; i < times; i++) {
        int at = 2 * (i + WARM_UP);
        millis[i] = (marks.get(at + 1).nanos() - marks.get(at).nanos()) / 1e6;
      }
      return Numbers.median(millis);
    }
  }

  /** The largest difference of two tensors. */
  static double largest(NDArray x, NDArray y) {
    return PROGRAM.callDouble("largest", x, y);
  }
}
