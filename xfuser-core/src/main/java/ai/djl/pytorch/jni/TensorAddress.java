package ai.djl.pytorch.jni;

import ai.djl.pytorch.engine.PtNDArray;
import java.nio.ByteBuffer;
import org.jspecify.annotations.NullMarked;

/**
 * Where a tensor's elements are. In DJL's package because its function for that is private to it:
 * {@code JniUtils.getByteBuffer} copies a tensor on a GPU to the host.
 */
@NullMarked
public final class TensorAddress {
  private TensorAddress() {}

  /** A direct buffer over a contiguous tensor of less than 2 GiB; not to be read on a GPU. */
  public static ByteBuffer of(PtNDArray tensor) {
    return PyTorchLibrary.LIB.torchDirectByteBuffer(tensor.getHandle());
  }
}
