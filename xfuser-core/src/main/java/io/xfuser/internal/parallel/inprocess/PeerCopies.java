package io.xfuser.internal.parallel.inprocess;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import io.xfuser.internal.parallel.Channel;
import io.xfuser.internal.parallel.ForwardingTransport;
import io.xfuser.internal.parallel.Pending;
import io.xfuser.internal.parallel.Transport;
import io.xfuser.torchscript.Torch;

/**
 * One of several ranks of a JVM that have a GPU each: what another rank hands over is copied to
 * this rank's GPU, directly where the GPUs can reach one another. Tensors on the CPU and on the own
 * GPU are handed over as they are.
 *
 * <p>Nobody waits for anything on the host, and yet nothing is read too early or overwritten:
 *
 * <ul>
 *   <li>All threads compute in the default stream of each GPU, for neither DJL nor a program here
 *       chooses another. On one GPU, what the receiver enqueues after the hand-over therefore comes
 *       after what the sender had enqueued before it.
 *   <li>A copy between GPUs is enqueued in the current stream of the source, so after what computes
 *       the tensor; that stream first waits for the destination's, and the destination's then waits
 *       for the copy ({@code copy_device_to_device} in ATen's {@code Copy.cu}, which records and
 *       awaits events for both).
 *   <li>Memory that is freed here belongs to the source's allocator, which gives it only to what
 *       that stream computes later, after the copy.
 * </ul>
 */
public final class PeerCopies extends ForwardingTransport {
  private final DeviceCopy landing;

  /** Over {@code inner}, for the rank that computes on {@code device}. */
  public PeerCopies(Transport inner, Device device) {
    this(inner, (owner, tensor) -> onto(device, owner, tensor));
  }

  PeerCopies(Transport inner, DeviceCopy landing) {
    super(inner);
    this.landing = landing;
  }

  /** Brings a tensor to where it is needed. */
  @FunctionalInterface
  interface DeviceCopy {
    NDArray of(NDManager owner, NDArray tensor);
  }

  private static NDArray onto(Device device, NDManager owner, NDArray tensor) {
    return tensor.getDevice().isGpu()
        ? Torch.to(owner, tensor, device)
        : Torch.alias(owner, tensor);
  }

  @Override
  public Pending receive(Channel channel, int from, String operation) {
    Pending pending = super.receive(channel, from, operation);
    return owner -> {
      NDList here = new NDList();
      try (NDManager scope = owner.newSubManager()) {
        pending.await(scope).forEach(tensor -> here.add(landing.of(owner, tensor)));
      }
      return here;
    };
  }
}
