package io.xfuser.internal.parallel.nccl;

/**
 * Functions of CUDA's runtime as they are: each returns an error code, 0 for success, and leaves an
 * error behind as the calling thread's last one. Handles are addresses.
 */
interface Cudart {
  /** {@code cudaErrorNotReady}: work has not completed. */
  int NOT_READY = 600;

  int deviceCount(int[] count);

  int setDevice(int gpu);

  int pciBusId(byte[] address, int gpu);

  /** A stream that does not wait for the legacy default stream, in {@code stream[0]}. */
  int streamCreate(long[] stream);

  int streamDestroy(long stream);

  int streamWaitEvent(long stream, long event);

  /** An event without a time, in {@code event[0]}. */
  int eventCreate(long[] event);

  int eventRecord(long event, long stream);

  int eventQuery(long event);

  int eventDestroy(long event);

  /** The calling thread's last error; there is none from then on. */
  int takeLastError();

  /** What an error is called. */
  String text(int error);
}
