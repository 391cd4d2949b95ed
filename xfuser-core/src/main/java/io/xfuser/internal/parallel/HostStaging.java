package io.xfuser.internal.parallel;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Torch;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * Carries a GPU's tensors over a transport that knows the host's memory only: each is copied to the
 * host before it is sent, and to the receiver's GPU when it is awaited. The sender waits until the
 * tensor is computed, so nothing overlaps; for ranks that NCCL cannot connect.
 *
 * <p>Every message is preceded by a tensor of bytes, 1 for each tensor that was on a GPU.
 */
public final class HostStaging extends ForwardingTransport {
  private final Side side;

  /** Over {@code inner}, for a rank that computes on {@code device}. */
  public HostStaging(Transport inner, Device device) {
    this(inner, new OnGpu(device));
  }

  HostStaging(Transport inner, Side side) {
    super(inner);
    this.side = side;
  }

  /** What is not in the host's memory, and how it gets there and back. */
  interface Side {
    boolean isAway(NDArray tensor);

    NDArray toHost(NDManager owner, NDArray tensor);

    NDArray fromHost(NDManager owner, NDArray tensor);
  }

  private record OnGpu(Device device) implements Side {
    @Override
    public boolean isAway(NDArray tensor) {
      return tensor.getDevice().isGpu();
    }

    @Override
    public NDArray toHost(NDManager owner, NDArray tensor) {
      return Torch.to(owner, tensor, Device.cpu());
    }

    @Override
    public NDArray fromHost(NDManager owner, NDArray tensor) {
      return Torch.to(owner, tensor, device);
    }
  }

  @Override
  public void send(Channel channel, int to, List<NDArray> tensors) {
    try (NDManager scope = Torch.newManager()) {
      NDArray away = Torch.empty(scope, ElementType.UINT8, tensors.size());
      ByteBuffer flags = Torch.memory(away);
      List<NDArray> message = new ArrayList<>(List.of(away));
      for (NDArray tensor : tensors) {
        flags.put((byte) (side.isAway(tensor) ? 1 : 0));
        message.add(side.isAway(tensor) ? side.toHost(scope, tensor) : tensor);
      }
      super.send(channel, to, message);
    }
  }

  @Override
  public Pending receive(Channel channel, int from, String operation) {
    Pending pending = super.receive(channel, from, operation);
    return owner -> {
      NDList here = new NDList();
      try (NDManager scope = owner.newSubManager()) {
        NDList message = pending.await(scope);
        ByteBuffer flags = Torch.memory(message.get(0));
        for (NDArray tensor : message.subList(1, message.size())) {
          here.add(flags.get() == 1 ? side.fromHost(owner, tensor) : Torch.alias(owner, tensor));
        }
      }
      return here;
    };
  }
}
