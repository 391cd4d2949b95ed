package io.xfuser.torchscript;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.pytorch.jni.JniUtils;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.util.concurrent.CompletableFuture;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * In which type the CPU multiplies matrices of 16 bits. CPUs with units for a type are several
 * times faster in it than in fp32, others are slower, up to a hundred times, and the instruction
 * set does not tell: some have bfloat16 instructions that take twice as long as those of fp32. Then
 * the factors are widened, multiplied in fp32 and the product is rounded, which is no less exact.
 *
 * <p>All processes of a machine have to decide alike, or equal requests would differ in their last
 * bits. So what counts is the CPU time of one thread, which other work on the machine hardly
 * changes, the best of several runs; and widening has to be clearly faster.
 *
 * @param widensBfloat16 whether bfloat16 is widened
 * @param widensFloat16 whether float16 is widened
 */
record HalfPrecision(boolean widensBfloat16, boolean widensFloat16) {
  private static final Logger LOG = LoggerFactory.getLogger(HalfPrecision.class);
  private static final int ROWS = 512;
  private static final int WIDTH = 768;
  private static final int RUNS = 5;

  /** Widening takes at most this part of the time; measured so far: 0.6, and 1.1 to 8. */
  private static final double CLEARLY_FASTER = 0.8;

  /** Where the first run is so much slower, no more are needed. */
  private static final int HOPELESS = 8;

  /** Measures both types with the matrix products in {@code products}. */
  static HalfPrecision measure(String products) {
    Program program =
        Program.compile(
            "half_precision.py",
            products + "\n" + ModuleArchive.read(HalfPrecision.class, "half_precision.py"));
    CompletableFuture<HalfPrecision> measured = new CompletableFuture<>();
    int threads = JniUtils.getNumThreads();
    // A thread of its own: the number of threads belongs to the calling one.
    Thread thread =
        new Thread(
            () -> {
              JniUtils.setNumThreads(1);
              JniUtils.setGraphExecutorOptimize(false);
              measured.complete(
                  new HalfPrecision(
                      widens(program, ElementType.BFLOAT16), widens(program, ElementType.FLOAT16)));
              JniUtils.setNumThreads(threads); // what threads that set none start with
            },
            "xfuser-half-precision");
    thread.setUncaughtExceptionHandler((failed, e) -> measured.completeExceptionally(e));
    thread.start();
    return measured.join();
  }

  private static boolean widens(Program program, ElementType type) {
    try (NDManager manager = ai.djl.engine.Engine.getEngine("PyTorch").newBaseManager()) {
      NDArray x = program.call(manager, "tensor", ROWS, WIDTH, type.scalarType());
      NDArray weight = program.call(manager, "tensor", WIDTH, WIDTH, type.scalarType());
      long nativeTime = Long.MAX_VALUE;
      long widenedTime = Long.MAX_VALUE;
      for (int run = 0; run < RUNS; run++) {
        widenedTime = Math.min(widenedTime, time(program, "widened", x, weight));
        nativeTime = Math.min(nativeTime, time(program, "native", x, weight));
        if (nativeTime > HOPELESS * widenedTime) {
          break;
        }
      }
      boolean widens = widenedTime < CLEARLY_FASTER * nativeTime;
      LOG.debug("{}: {} ns, widened {} ns", type, nativeTime, widenedTime);
      return widens;
    }
  }

  private static long time(Program program, String function, NDArray x, NDArray weight) {
    ThreadMXBean threads = ManagementFactory.getThreadMXBean();
    boolean cpu = threads.isCurrentThreadCpuTimeSupported() && threads.isThreadCpuTimeEnabled();
    long start = cpu ? threads.getCurrentThreadCpuTime() : System.nanoTime();
    program.call(x.getManager(), function, x, weight).close();
    return (cpu ? threads.getCurrentThreadCpuTime() : System.nanoTime()) - start;
  }

  /** The functions that {@code prelude.py} asks. */
  String text() {
    return function("widens_bfloat16", widensBfloat16) + function("widens_float16", widensFloat16);
  }

  private static String function(String name, boolean value) {
    return "def " + name + "(self) -> bool:\n  return " + (value ? "True" : "False") + "\n";
  }
}
