package io.xfuser.internal.parallel.nccl;

import ai.djl.Device;
import io.xfuser.failure.CommunicationException;
import io.xfuser.internal.failure.Reason;
import io.xfuser.internal.parallel.Transport;
import io.xfuser.internal.parallel.World;
import java.time.Duration;
import java.util.Locale;
import java.util.Properties;

/** Makes worlds whose ranks have a GPU each. */
public final class NcclWorld {
  private static final String LIMIT = "org.bytedeco.javacpp.maxPhysicalBytes";

  private NcclWorld() {}

  /**
   * The ranks that {@code transport} joins, exchanging tensors on their GPUs by NCCL. Everything
   * else goes over {@code transport}: tensors on the CPU, announcements, failures. Closing the
   * world closes the transport.
   *
   * <p>Ranks may be processes or threads, but no two may share a GPU: NCCL refuses that. The
   * calling thread need not be the rank's.
   *
   * @param transport a socket world's, or that of ranks in one JVM
   * @param device this rank's GPU
   * @param timeout how long NCCL's work may take before it counts as failed
   * @throws IllegalArgumentException if {@code device} is not a GPU
   * @throws CommunicationException if {@code org.bytedeco:cuda} or its native libraries are
   *     missing, in one sentence
   */
  public static World over(Transport transport, Device device, Duration timeout) {
    if (!device.isGpu()) {
      throw new IllegalArgumentException("NCCL connects GPUs, not " + device);
    }
    return over(transport, library(device), timeout);
  }

  static NcclLibrary library(Device device) {
    liftMemoryLimit(System.getProperties());
    try {
      return new CudaNccl(device);
    } catch (LinkageError e) { // no classes, or no native libraries
      throw new CommunicationException(
          "NCCL cannot be loaded, it needs org.bytedeco:cuda-platform: " + Reason.of(e), e);
    }
  }

  /**
   * JavaCPP, which reads its settings when its first class is loaded, refuses to allocate once the
   * process's resident memory is over 4 times the heap's limit, and counts the weights in it that
   * are mapped from files. So that limit is turned off, unless the user has set one.
   */
  static void liftMemoryLimit(Properties properties) {
    if (properties.getProperty(LIMIT.toLowerCase(Locale.ROOT)) == null) { // its former name
      properties.putIfAbsent(LIMIT, "0");
    }
  }

  static World over(Transport transport, NcclLibrary library, Duration timeout) {
    NcclTransport ranks = new NcclTransport(transport, library, timeout);
    return new World(ranks, ranks::exchange, library.device());
  }
}
