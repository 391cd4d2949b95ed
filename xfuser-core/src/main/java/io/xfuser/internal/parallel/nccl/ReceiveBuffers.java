package io.xfuser.internal.parallel.nccl;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import io.xfuser.internal.parallel.Pending;
import io.xfuser.torchscript.SharedTensor;
import io.xfuser.torchscript.Torch;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The tensors of one message: those that were sent along, and memory for those that NCCL carries.
 *
 * @param tensors all of them, in the order of the message
 * @param carried those that NCCL writes; a part of {@code tensors}
 */
record ReceiveBuffers(List<NDArray> tensors, List<NDArray> carried) {
  /** Memory for what is announced; {@code owner} owns it. */
  static ReceiveBuffers of(NDManager owner, Announcement announced, NcclLibrary library) {
    List<NDArray> tensors =
        announced.entries().stream().map(entry -> tensor(owner, entry, library)).toList();
    return new ReceiveBuffers(tensors, carried(tensors, library));
  }

  /** Those of {@code tensors} that NCCL has to carry: the rest have no elements, or come along. */
  static List<NDArray> carried(List<NDArray> tensors, NcclLibrary library) {
    return tensors.stream().filter(x -> library.carries(x) && x.size() > 0).toList();
  }

  private static NDArray tensor(NDManager owner, Announcement.Entry entry, NcclLibrary library) {
    NDArray here = entry.here();
    return here != null
        ? here
        : Torch.empty(owner, library.device(), entry.type(), entry.dimensions());
  }

  /**
   * What the receiver awaits; it keeps the tensors by itself.
   *
   * @param communicator carries them in {@code flight}; neither, if NCCL has nothing to carry
   */
  Pending pending(@Nullable NcclCommunicator communicator, @Nullable Flight flight) {
    List<SharedTensor> handles = tensors.stream().map(SharedTensor::of).toList();
    return owner -> {
      if (communicator != null && flight != null) {
        communicator.before(flight);
      }
      return new NDList(handles.stream().map(x -> x.receive(owner)).toList());
    };
  }
}
