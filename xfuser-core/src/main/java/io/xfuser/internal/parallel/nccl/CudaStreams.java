package io.xfuser.internal.parallel.nccl;

import ai.djl.Device;
import io.xfuser.failure.CommunicationException;
import java.nio.charset.StandardCharsets;

/**
 * Streams and events of one GPU. No call leaves an error behind as the thread's last one: libtorch
 * asks for that after each of its launches and would take it for the launch's own. An event that
 * has not completed is such an error too ({@code cudaErrorNotReady}).
 */
final class CudaStreams {
  private final Cudart cuda;
  private final Device device;

  /**
   * Of {@code device}.
   *
   * @throws IllegalArgumentException if there is no such GPU
   */
  CudaStreams(Cudart cuda, Device device) {
    this.cuda = cuda;
    this.device = device;
    int[] count = {0};
    require(cuda.deviceCount(count), "cudaGetDeviceCount");
    if (device.getDeviceId() >= count[0]) {
      throw new IllegalArgumentException(device + " of " + count[0] + " GPUs");
    }
  }

  /** The GPU's address on the bus. */
  String card() {
    byte[] address = new byte[32]; // 0000:17:00.0, then zeros
    require(cuda.pciBusId(address, device.getDeviceId()), "cudaDeviceGetPCIBusId");
    return new String(address, StandardCharsets.US_ASCII).trim();
  }

  /** Makes the GPU the calling thread's. */
  void enter() {
    require(cuda.setDevice(device.getDeviceId()), "cudaSetDevice");
  }

  /** A stream that waits for no other by itself. */
  long newStream() {
    long[] stream = {0};
    require(cuda.streamCreate(stream), "cudaStreamCreateWithFlags");
    return stream[0];
  }

  void closeStream(long stream) {
    forget(cuda.streamDestroy(stream)); // fails only if the GPU has failed
  }

  /** An event after all that was enqueued in {@code stream} so far. */
  long record(long stream) {
    long[] event = {0};
    require(cuda.eventCreate(event), "cudaEventCreateWithFlags");
    try {
      require(cuda.eventRecord(event[0], stream), "cudaEventRecord");
    } catch (CommunicationException e) {
      closeEvent(event[0]);
      throw e;
    }
    return event[0];
  }

  void await(long stream, long event) {
    require(cuda.streamWaitEvent(stream, event), "cudaStreamWaitEvent");
  }

  boolean completed(long event) {
    int result = cuda.eventQuery(event);
    if (result == Cudart.NOT_READY) {
      forget(result);
      return false;
    }
    require(result, "cudaEventQuery");
    return true;
  }

  void closeEvent(long event) {
    forget(cuda.eventDestroy(event)); // fails only if the GPU has failed
  }

  /** Takes away what others' calls have left behind on the calling thread. */
  void forgetErrors() {
    int unused = cuda.takeLastError();
  }

  private void forget(int result) {
    if (result != 0) {
      forgetErrors();
    }
  }

  private void require(int result, String function) {
    if (result != 0) {
      forget(result);
      throw new CommunicationException("CUDA: " + function + ": " + cuda.text(result));
    }
  }
}
