package io.xfuser.internal.device;

import ai.djl.Device;

/**
 * Tells when one device has done what a thread gave it to do. A program on the CPU is done when it
 * returns; on a GPU it is only enqueued then, and done some time later. A clock is used by one
 * thread, and closed once its marks have been read.
 */
public interface DeviceClock extends AutoCloseable {
  /** The CPU's. */
  DeviceClock CPU = new CpuClock();

  /**
   * The clock of {@code device}. That of a GPU waits for what is enqueued there before it begins.
   */
  static DeviceClock of(Device device) {
    return device.isGpu()
        ? new GpuClock<>(new GpuEvents(device.getDeviceId()), System::nanoTime)
        : CPU;
  }

  /** The point after all that the calling thread has given the device so far. */
  Mark mark();

  /** Whether programs return before they are done. */
  boolean enqueues();

  /** Releases the marks. */
  @Override
  void close();

  /** A point in the device's work. */
  interface Mark {
    /** Waits until the device has come here. */
    void await();

    /** When it came here, on the clock of {@link System#nanoTime}; waits for it. */
    long nanos();
  }
}
