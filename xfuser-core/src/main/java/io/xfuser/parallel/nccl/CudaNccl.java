package io.xfuser.parallel.nccl;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import io.xfuser.parallel.CommunicationException;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Torch;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.bytedeco.cuda.cudart.CUevent_st;
import org.bytedeco.cuda.cudart.CUstream_st;
import org.bytedeco.cuda.global.cudart;
import org.bytedeco.cuda.global.nccl;
import org.bytedeco.cuda.nccl.ncclComm;
import org.bytedeco.cuda.nccl.ncclConfig_t;
import org.bytedeco.cuda.nccl.ncclUniqueId;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerPointer;

/**
 * NVIDIA's own libraries. Communicators do not block, so that a rank that never comes is found out
 * by polling rather than by a call that does not return.
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

  /** Where NCCL writes a communicator's address, even after the call that opens it: never freed. */
  private final Map<Long, PointerPointer<ncclComm>> slots = new ConcurrentHashMap<>();

  /**
   * Loads the libraries.
   *
   * @throws LinkageError if there are none
   * @throws IllegalArgumentException if there is no such GPU
   */
  CudaNccl(Device device) {
    this.device = device;
    int[] count = {0};
    requireCuda(cudart.cudaGetDeviceCount(count), "cudaGetDeviceCount");
    if (device.getDeviceId() >= count[0]) {
      throw new IllegalArgumentException(device + " of " + count[0] + " GPUs");
    }
    require(nccl.ncclGetVersion(count), "ncclGetVersion"); // loads NCCL, if it is there
  }

  /** A pointer to a known address. */
  private static final class Address extends Pointer {
    Address(long address) {
      this.address = address;
    }
  }

  @Override
  public Device device() {
    return device;
  }

  @Override
  public String card() {
    byte[] address = new byte[32]; // 0000:17:00.0, then zeros
    int result = cudart.cudaDeviceGetPCIBusId(address, address.length, device.getDeviceId());
    requireCuda(result, "cudaDeviceGetPCIBusId");
    return new String(address, StandardCharsets.US_ASCII).trim();
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
    requireCuda(cudart.cudaSetDevice(device.getDeviceId()), "cudaSetDevice");
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
  @SuppressWarnings("resource") // the slot is kept
  public long open(String id, int size, int rank) {
    try (ncclUniqueId name = new ncclUniqueId();
        ncclConfig_t config = withoutBlocking()) {
      name.internal().put(id.getBytes(StandardCharsets.ISO_8859_1));
      PointerPointer<ncclComm> slot = new PointerPointer<>(1L);
      slot.put(0, null);
      slots.put(slot.address(), slot);
      require(
          nccl.ncclCommInitRankConfig(slot, size, name, rank, config), "ncclCommInitRankConfig");
      return slot.address();
    }
  }

  private static ncclConfig_t withoutBlocking() {
    ncclConfig_t config = new ncclConfig_t();
    Pointer.memset(config, 0, config.sizeof()); // no names
    return config
        .size(config.sizeof())
        .magic(INITIALIZED)
        .version(nccl.NCCL_VERSION_CODE)
        .blocking(0)
        .cgaClusterSize(UNDEFINED)
        .minCTAs(UNDEFINED)
        .maxCTAs(UNDEFINED)
        .splitShare(UNDEFINED)
        .trafficClass(UNDEFINED)
        .collnetEnable(UNDEFINED)
        .CTAPolicy(UNDEFINED)
        .shrinkShare(UNDEFINED)
        .nvlsCTAs(UNDEFINED);
  }

  private ncclComm communicator(long handle) {
    return Objects.requireNonNull(slots.get(handle)).get(ncclComm.class, 0);
  }

  @Override
  public boolean busy(long communicator) {
    ncclComm opened = communicator(communicator);
    if (opened == null || opened.isNull()) {
      return true; // still being opened
    }
    int[] state = {nccl.ncclSuccess};
    require(nccl.ncclCommGetAsyncError(opened, state), "ncclCommGetAsyncError");
    require(state[0], "an asynchronous operation");
    return state[0] == nccl.ncclInProgress;
  }

  @Override
  public void close(long communicator) {
    try {
      require(nccl.ncclCommFinalize(communicator(communicator)), "ncclCommFinalize");
      long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
      while (busy(communicator) && System.nanoTime() < deadline) {
        Thread.onSpinWait();
      }
      require(nccl.ncclCommDestroy(communicator(communicator)), "ncclCommDestroy");
    } catch (CommunicationException e) {
      abort(communicator); // its work has completed, so nothing is lost
    }
  }

  @Override
  public void abort(long communicator) {
    ncclComm opened = communicator(communicator);
    if (opened != null && !opened.isNull()) {
      int unused = nccl.ncclCommAbort(opened); // there is nothing left to do if this fails
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
    require(nccl.ncclSend(data(tensor), tensor.size(), type, peer, to, stream(stream)), "ncclSend");
  }

  @Override
  public void receive(NDArray tensor, int peer, long communicator, long stream) {
    ncclComm from = communicator(communicator);
    int type = type(tensor);
    require(
        nccl.ncclRecv(data(tensor), tensor.size(), type, peer, from, stream(stream)), "ncclRecv");
  }

  @Override
  public void allGather(NDArray shard, NDArray all, long communicator, long stream) {
    ncclComm with = communicator(communicator);
    int result =
        nccl.ncclAllGather(data(shard), data(all), shard.size(), type(shard), with, stream(stream));
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
    CUstream_st stream = new CUstream_st();
    // non-blocking: others take turns with the legacy stream, and a send would hold up computing
    requireCuda(
        cudart.cudaStreamCreateWithFlags(stream, cudart.cudaStreamNonBlocking),
        "cudaStreamCreateWithFlags");
    return stream.address();
  }

  @Override
  public void closeStream(long stream) {
    int unused = cudart.cudaStreamDestroy(stream(stream)); // fails only if the GPU has failed
  }

  @Override
  public long record(long stream) {
    CUevent_st event = new CUevent_st();
    int made = cudart.cudaEventCreateWithFlags(event, cudart.cudaEventDisableTiming);
    requireCuda(made, "cudaEventCreateWithFlags");
    requireCuda(cudart.cudaEventRecord(event, stream(stream)), "cudaEventRecord");
    return event.address();
  }

  @Override
  public void await(long stream, long event) {
    requireCuda(cudart.cudaStreamWaitEvent(stream(stream), event(event), 0), "cudaStreamWaitEvent");
  }

  @Override
  public boolean completed(long event) {
    int result = cudart.cudaEventQuery(event(event));
    if (result == cudart.cudaErrorNotReady) {
      return false;
    }
    requireCuda(result, "cudaEventQuery");
    return true;
  }

  @Override
  public void closeEvent(long event) {
    int unused = cudart.cudaEventDestroy(event(event)); // fails only if the GPU has failed
  }

  private static CUstream_st stream(long handle) {
    return new CUstream_st(new Address(handle));
  }

  private static CUevent_st event(long handle) {
    return new CUevent_st(new Address(handle));
  }

  private static void requireCuda(int result, String function) {
    if (result != cudart.cudaSuccess) {
      throw new CommunicationException(
          "CUDA: " + function + ": " + cudart.cudaGetErrorString(result).getString());
    }
  }

  private static void require(int result, String function) {
    if (result != nccl.ncclSuccess && result != nccl.ncclInProgress) {
      throw new CommunicationException(
          "NCCL: " + function + ": " + nccl.ncclGetErrorString(result).getString());
    }
  }
}
