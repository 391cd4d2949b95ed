package io.xfuser.internal.parallel.nccl;

import ai.djl.ndarray.NDArray;
import io.xfuser.torchscript.SharedTensor;
import java.util.List;

/**
 * Work that was enqueued and whose end nobody has seen yet. libtorch's allocator knows nothing of
 * NCCL's streams and would hand out the memory of a closed tensor again while a kernel still reads
 * or writes it: so handles on all tensors are kept until the event after the work has completed.
 * Guarded by its {@link NcclCommunicator}.
 */
final class Flight {
  private final String operation;
  private final long event;
  private final List<SharedTensor> handles;
  private final long began = System.nanoTime();
  private boolean landed;
  private int users; // of the event, who call without a lock

  /**
   * Work that is done with {@code tensors} when {@code event} completes.
   *
   * @param operation what it is, as the message of a failure tells it
   */
  Flight(String operation, long event, List<NDArray> tensors) {
    this.operation = operation;
    this.event = event;
    this.handles = tensors.stream().map(SharedTensor::of).toList();
  }

  String operation() {
    return operation;
  }

  long nanos() {
    return System.nanoTime() - began;
  }

  /** Whether the event is still there, and stays until {@link #release}. */
  boolean hold() {
    users += landed ? 0 : 1;
    return !landed;
  }

  void release() {
    users--;
  }

  /** Lets libtorch's stream wait for the end; the calling thread goes on. */
  void before(NcclLibrary library) {
    library.await(library.computeStream(), event);
  }

  boolean isFree() {
    return users == 0;
  }

  boolean completed(NcclLibrary library) {
    return library.completed(event);
  }

  /** Releases the tensors. */
  void land(NcclLibrary library) {
    landed = true;
    library.closeEvent(event);
    handles.forEach(SharedTensor::close);
  }
}
