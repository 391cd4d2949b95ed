package io.xfuser.internal.parallel.nccl;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;

/**
 * The few functions of NCCL and CUDA that ranks need, for one GPU. Communicators, streams and
 * events are handles. Tensors are contiguous, have elements, and stay open until the work enqueued
 * with them has completed; nothing here keeps them alive.
 */
interface NcclLibrary {
  Device device();

  /** Names the card among all of this machine: its address on the bus. */
  String card();

  /** Whether NCCL has to carry {@code tensor}, because it is in the GPU's memory. */
  boolean carries(NDArray tensor);

  /** Makes the GPU current on the calling thread: before it makes or enqueues something. */
  void enter();

  /** A new unique id, by which ranks find one another: a character for each of its bytes. */
  String newId();

  /**
   * Opens a communicator of {@code size} ranks, this one being {@code rank}; returns when all of
   * them have opened it.
   */
  long open(String id, int size, int rank);

  /**
   * Looks for errors; any thread may, while another is in a call.
   *
   * @throws io.xfuser.failure.CommunicationException if NCCL reports an asynchronous one
   */
  void check(long communicator);

  /**
   * Closes a communicator whose work has completed; may wait until the others do.
   *
   * @throws io.xfuser.failure.CommunicationException if that fails, or it is aborted meanwhile
   */
  void close(long communicator);

  /**
   * Ends a communicator at once; kernels that wait for other ranks end too, and so do calls of
   * other threads that do. Does nothing if it was closed just before.
   */
  void abort(long communicator);

  /** Begins a group: what is called until {@link #groupEnd} proceeds together. */
  void groupStart();

  /** Enqueues the group; waits for the other ranks where they are not connected yet. */
  void groupEnd();

  void send(NDArray tensor, int peer, long communicator, long stream);

  /** Receives from {@code peer} as many elements as {@code tensor} has. */
  void receive(NDArray tensor, int peer, long communicator, long stream);

  /** Gathers the shards of all ranks, equally long, in order of rank in {@code all}. */
  void allGather(NDArray shard, NDArray all, long communicator, long stream);

  /** The stream in which libtorch computes. */
  long computeStream();

  /** A stream that waits for no other by itself. */
  long newStream();

  /** Releases a stream once its work has completed. */
  void closeStream(long stream);

  /** An event that completes with all work enqueued in {@code stream} so far. */
  long record(long stream);

  /** Lets work enqueued in {@code stream} from now on wait for {@code event}. */
  void await(long stream, long event);

  boolean completed(long event);

  /** Releases an event; streams that wait for it go on waiting. */
  void closeEvent(long event);
}
