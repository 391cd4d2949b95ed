package io.xfuser.internal.parallel.nccl;

import org.bytedeco.cuda.cudart.CUevent_st;
import org.bytedeco.cuda.cudart.CUstream_st;
import org.bytedeco.cuda.global.cudart;
import org.bytedeco.javacpp.Pointer;

/** NVIDIA's own runtime. */
final class NativeCudart implements Cudart {
  /** A pointer to a known address. */
  private static final class Address extends Pointer {
    Address(long address) {
      this.address = address;
    }
  }

  static CUstream_st stream(long handle) {
    return new CUstream_st(new Address(handle));
  }

  private static CUevent_st event(long handle) {
    return new CUevent_st(new Address(handle));
  }

  @Override
  public int deviceCount(int[] count) {
    return cudart.cudaGetDeviceCount(count);
  }

  @Override
  public int setDevice(int gpu) {
    return cudart.cudaSetDevice(gpu);
  }

  @Override
  public int pciBusId(byte[] address, int gpu) {
    return cudart.cudaDeviceGetPCIBusId(address, address.length, gpu);
  }

  @Override
  public int streamCreate(long[] stream) {
    CUstream_st made = new CUstream_st();
    // non-blocking: others take turns with the legacy stream, and a send would hold up computing
    int result = cudart.cudaStreamCreateWithFlags(made, cudart.cudaStreamNonBlocking);
    stream[0] = made.address();
    return result;
  }

  @Override
  public int streamDestroy(long stream) {
    return cudart.cudaStreamDestroy(stream(stream));
  }

  @Override
  public int streamWaitEvent(long stream, long event) {
    return cudart.cudaStreamWaitEvent(stream(stream), event(event), 0);
  }

  @Override
  public int eventCreate(long[] event) {
    CUevent_st made = new CUevent_st();
    int result = cudart.cudaEventCreateWithFlags(made, cudart.cudaEventDisableTiming);
    event[0] = made.address();
    return result;
  }

  @Override
  public int eventRecord(long event, long stream) {
    return cudart.cudaEventRecord(event(event), stream(stream));
  }

  @Override
  public int eventQuery(long event) {
    return cudart.cudaEventQuery(event(event));
  }

  @Override
  public int eventDestroy(long event) {
    return cudart.cudaEventDestroy(event(event));
  }

  @Override
  public int takeLastError() {
    return cudart.cudaGetLastError();
  }

  @Override
  public String text(int error) {
    return cudart.cudaGetErrorString(error).getString();
  }
}
