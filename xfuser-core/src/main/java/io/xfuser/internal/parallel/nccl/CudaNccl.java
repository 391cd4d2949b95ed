package io.xfuser.internal.parallel.nccl;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import io.xfuser.failure.CommunicationException;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Torch;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.bytedeco.cuda.global.nccl;
import org.bytedeco.cuda.nccl.ncclComm;
import org.bytedeco.cuda.nccl.ncclConfig_t;
import org.bytedeco.cuda.nccl.ncclUniqueId;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerPointer;

/**
 * NVIDIA's own libraries. Communicators block: without blocking each group would have a thread of
 * NCCL's own, and be polled. A call that does not return is ended by another thread's {@link
 * #abort}, as PyTorch's watchdog does.
 */
final class CudaNccl implements NcclLibrary {
  /** {@code NCCL_CONFIG_UNDEF_INT}: NCCL's default. */
  private static final int UNDEFINED = Integer.MIN_VALUE;

  /** The mark of {@code NCCL_CONFIG_INITIALIZER}, a macro that Java does not see. */
  private static final int INITIALIZED = 0xcafebeef;

  /**
   * {@code cudaStreamLegacy}. libtorch computes in the default stream unless a thread chooses
   * another, which neither DJL nor a program here does; and its default stream is the legacy one,
   * for it is not compiled with {@code --default-stream per-thread}.
   */
  private static final long LEGACY_STREAM = 1;

  private final Device device;
  private final CudaStreams streams;

  /**
   * How many of a GPU's multiprocessors (132 of an H100) NCCL's kernels take at most. Its own
   * choice is up to 32, which the kernels beside which they run would lack.
   */
  private static final int MOST_CTAS = 16;

  private final Map<Long, ncclComm> communicators = new ConcurrentHashMap<>(); // by address

  /**
   * Loads the libraries.
   *
   * @throws LinkageError if there are none
   * @throws IllegalArgumentException if there is no such GPU
   */
  CudaNccl(Device device) {
    this.device = device;
    this.streams = new CudaStreams(new NativeCudart(), device);
    int[] version = {0};
    require(nccl.ncclGetVersion(version), "ncclGetVersion"); // loads NCCL, if it is there
  }

  @Override
  public Device device() {
    return device;
  }

  @Override
  public String card() {
    return streams.card();
  }

  @Override
  public boolean carries(NDArray tensor) {
    Device place = tensor.getDevice();
    if (place.isGpu() && !place.equals(device)) {
      throw new IllegalArgumentException("a tensor on " + place + " on the rank of " + device);
    }
    return place.isGpu();
  }

  @Override
  public void enter() {
    streams.enter();
  }

  @Override
  public String newId() {
    try (ncclUniqueId id = new ncclUniqueId()) {
      require(nccl.ncclGetUniqueId(id), "ncclGetUniqueId");
      byte[] bytes = new byte[nccl.NCCL_UNIQUE_ID_BYTES];
      id.internal().get(bytes);
      return new String(bytes, StandardCharsets.ISO_8859_1);
    }
  }

  @Override
  public long open(String id, int size, int rank) {
    try (ncclUniqueId name = new ncclUniqueId();
        ncclConfig_t config = blocking();
        PointerPointer<ncclComm> slot = new PointerPointer<>(1L)) {
      name.internal().put(id.getBytes(StandardCharsets.ISO_8859_1));
      slot.put(0, null);
      require(
          nccl.ncclCommInitRankConfig(slot, size, name, rank, config), "ncclCommInitRankConfig");
      ncclComm opened = slot.get(ncclComm.class, 0);
      communicators.put(opened.address(), opened);
      return opened.address();
    }
  }

  private static ncclConfig_t blocking() {
    ncclConfig_t config = new ncclConfig_t();
    Pointer.memset(config, 0, config.sizeof()); // no names
    return config
        .size(config.sizeof())
        .magic(INITIALIZED)
        .version(nccl.NCCL_VERSION_CODE)
        .blocking(1)
        .cgaClusterSize(UNDEFINED)
        .minCTAs(UNDEFINED)
        .maxCTAs(MOST_CTAS)
        .splitShare(UNDEFINED)
        .trafficClass(UNDEFINED)
        .collnetEnable(UNDEFINED)
        .CTAPolicy(UNDEFINED)
        .shrinkShare(UNDEFINED)
        .nvlsCTAs(UNDEFINED);
  }

  private ncclComm communicator(long handle) {
    ncclComm open = communicators.get(handle);
    if (open == null) {
      throw new CommunicationException("NCCL: the communicator has ended");
    }
    return open;
  }

  @Override
  public void check(long communicator) {
    int[] state = {nccl.ncclSuccess};
    require(nccl.ncclCommGetAsyncError(communicator(communicator), state), "ncclCommGetAsyncError");
    require(state[0], "an asynchronous operation");
  }

  @Override
  public void close(long communicator) {
    require(nccl.ncclCommFinalize(communicator(communicator)), "ncclCommFinalize");
    ncclComm ended = communicators.remove(communicator);
    if (ended != null) { // else it was aborted meanwhile, which releases it too
      require(nccl.ncclCommDestroy(ended), "ncclCommDestroy");
    }
  }

  @Override
  public void abort(long communicator) {
    ncclComm ended = communicators.remove(communicator);
    if (ended != null) {
      int unused = nccl.ncclCommAbort(ended); // there is nothing left to do if this fails
      streams.forgetErrors();
    }
  }

  @Override
  public void groupStart() {
    require(nccl.ncclGroupStart(), "ncclGroupStart");
  }

  @Override
  public void groupEnd() {
    require(nccl.ncclGroupEnd(), "ncclGroupEnd");
  }

  @Override
  public void send(NDArray tensor, int peer, long communicator, long stream) {
    ncclComm to = communicator(communicator);
    int type = type(tensor);
    require(
        nccl.ncclSend(data(tensor), tensor.size(), type, peer, to, NativeCudart.stream(stream)),
        "ncclSend");
  }

  @Override
  public void receive(NDArray tensor, int peer, long communicator, long stream) {
    ncclComm from = communicator(communicator);
    int type = type(tensor);
    require(
        nccl.ncclRecv(data(tensor), tensor.size(), type, peer, from, NativeCudart.stream(stream)),
        "ncclRecv");
  }

  @Override
  public void allGather(NDArray shard, NDArray all, long communicator, long stream) {
    ncclComm with = communicator(communicator);
    int result =
        nccl.ncclAllGather(
            data(shard), data(all), shard.size(), type(shard), with, NativeCudart.stream(stream));
    require(result, "ncclAllGather");
  }

  private static Pointer data(NDArray tensor) {
    return new BytePointer(Torch.address(tensor));
  }

  private static int type(NDArray tensor) {
    ElementType type = ElementType.of(tensor);
    return switch (type) {
      case FLOAT32 -> nccl.ncclFloat32;
      case FLOAT16 -> nccl.ncclFloat16;
      case BFLOAT16 -> nccl.ncclBfloat16;
      case FLOAT64 -> nccl.ncclFloat64;
      case INT64 -> nccl.ncclInt64;
      case INT32 -> nccl.ncclInt32;
      case INT8 -> nccl.ncclInt8;
      case UINT8, BOOL -> nccl.ncclUint8;
    };
  }

  @Override
  public long computeStream() {
    return LEGACY_STREAM;
  }

  @Override
  public long newStream() {
    return streams.newStream();
  }

  @Override
  public void closeStream(long stream) {
    streams.closeStream(stream);
  }

  @Override
  public long record(long stream) {
    return streams.record(stream);
  }

  @Override
  public void await(long stream, long event) {
    streams.await(stream, event);
  }

  @Override
  public boolean completed(long event) {
    return streams.completed(event);
  }

  @Override
  public void closeEvent(long event) {
    streams.closeEvent(event);
  }

  private void require(int result, String function) {
    if (result != nccl.ncclSuccess) {
      streams.forgetErrors(); // of what NCCL asked CUDA on this thread
      throw new CommunicationException(
          "NCCL: " + function + ": " + nccl.ncclGetErrorString(result).getString());
    }
  }
}
