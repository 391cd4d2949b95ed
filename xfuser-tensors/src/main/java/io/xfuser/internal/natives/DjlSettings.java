package io.xfuser.internal.natives;

import ai.djl.util.Utils;
import io.xfuser.torchscript.Program;
import java.util.function.Supplier;

/**
 * What DJL reads of the environment and of system properties when it starts, where its own defaults
 * are not those of this library.
 */
public final class DjlSettings {
  private static final String OPT_OUT = "OPT_OUT_TRACKING";
  private static final String OPTIMIZER = "ai.djl.pytorch.graph_optimizer";

  private DjlSettings() {}

  /**
   * Keeps DJL from reporting to its makers, unless the program asks for it: when its engine starts,
   * DJL (0.35.1, {@code Ec2Utils.callHome}) asks a cloud's metadata address for machine and region
   * and sends both to a bucket of that region. The environment variable or system property {@code
   * OPT_OUT_TRACKING=false} lets it. To be called before anything of DJL that may start an engine;
   * a program that started DJL itself has decided already.
   */
  public static void keepQuiet() {
    if (Utils.getEnvOrSystemProperty(OPT_OUT) == null) {
      System.setProperty(OPT_OUT, "true");
    }
  }

  /**
   * Starts DJL's engine by {@code start}, with its optimizer of graphs off unless the program set
   * it. Programs here turn it off with each call ({@link Program}), so that DJL's advice to do so
   * is wrong. Blocks of the program's own, which read the setting at each call, find it as it was.
   */
  public static <T> T withoutOptimizer(Supplier<T> start) {
    boolean unset = System.getProperty(OPTIMIZER) == null;
    if (unset) {
      System.setProperty(OPTIMIZER, "false");
    }
    try {
      return start.get();
    } finally {
      if (unset) {
        System.clearProperty(OPTIMIZER);
      }
    }
  }
}
