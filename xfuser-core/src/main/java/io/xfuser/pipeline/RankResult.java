package io.xfuser.pipeline;

import ai.djl.Device;
import ai.djl.modality.cv.Image;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.torchscript.SharedTensor;
import io.xfuser.torchscript.Torch;
import io.xfuser.trace.RunTrace;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What one rank brings back.
 *
 * @param firstImage the index of its first picture in the whole request
 * @param images its pictures; empty on ranks that decode none
 * @param tensor latents or pixels in the place of pictures, or null
 * @param account of the whole run
 */
record RankResult(
    int firstImage, List<Image> images, @Nullable SharedTensor tensor, Account account)
    implements AutoCloseable {
  /** Lets go of the tensor, which nobody will receive. */
  @Override
  public void close() {
    if (tensor != null) {
      tensor.close();
    }
  }

  /**
   * What all ranks did, the same on every rank.
   *
   * @param report in figures
   * @param trace in detail, null unless it was asked for
   */
  record Account(RunReport report, @Nullable RunTrace trace) {}

  /** What a rank decoded. */
  record Decoded(int firstImage, List<Image> images, @Nullable SharedTensor tensor) {
    static final Decoded NOTHING = new Decoded(0, List.of(), null);

    /** Something for a caller, who is handed tensors of the CPU. */
    static Decoded of(NDManager scope, int firstImage, NDArray tensor) {
      NDArray here = Torch.to(scope, tensor, Device.cpu());
      return new Decoded(firstImage, List.of(), SharedTensor.of(here));
    }
  }
}
