package io.xfuser.internal.device;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Program;
import io.xfuser.torchscript.Torch;

/**
 * Copies tensors from the host to a device, through a buffer in pinned memory of bounded size: the
 * GPU reads that by itself at full speed, and what is copied may be a mapped file, which cannot be
 * pinned. Nothing passes the Java heap. libtorch keeps the buffer for the next copy.
 *
 * @param device where tensors are wanted
 * @param bufferBytes about how large the buffer is
 * @param pinned whether its memory is pinned, which only a machine with a GPU can
 */
public record Upload(Device device, long bufferBytes, boolean pinned) {
  private static final Program PROGRAM = Program.load(Upload.class, "upload.py");
  private static final long BUFFER_BYTES = 32L << 20;

  /** To {@code device} by 32 MiB at a time. */
  public static Upload to(Device device) {
    return new Upload(device, BUFFER_BYTES, device.isGpu());
  }

  /** The same by {@code other} bytes at a time. */
  public Upload by(long other) {
    return new Upload(device, other, pinned);
  }

  /** A contiguous copy of {@code tensor} on the device; {@code tensor} may have any layout. */
  public NDArray copy(NDManager owner, NDArray tensor) {
    return PROGRAM.call(
        owner,
        "upload",
        tensor,
        Torch.name(device),
        bufferBytes / ElementType.of(tensor).bytes(),
        pinned);
  }
}
