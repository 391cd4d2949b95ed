package io.xfuser.internal.kernels;

/** Starts kernels on one device; safe for all threads. */
public interface Launcher {
  /** Whether {@code tensor} is where its kernels compute. */
  boolean reaches(KernelTensor tensor);

  /**
   * Starts a kernel behind all that libtorch has started on the device, and need not wait for it.
   *
   * @throws RuntimeException if it cannot be started, in one sentence
   */
  void launch(Launch launch);
}
