package io.xfuser.internal.natives;

import com.sun.jna.Function;
import com.sun.jna.Platform;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The environment of this process as native libraries read it. */
final class ProcessEnvironment {
  private static final Logger LOG = LoggerFactory.getLogger(ProcessEnvironment.class);

  private ProcessEnvironment() {}

  /** Whether the environment that this process was started with says nothing by this name. */
  static boolean isBlank(String name) {
    return System.getenv().getOrDefault(name, "").isBlank();
  }

  /**
   * Sets a variable for native libraries that are loaded later. Java cannot change the environment
   * of its own process; what it shows stays as it was. Does nothing on Windows.
   */
  static void set(String name, String value) {
    if (Platform.isWindows()) {
      return;
    }
    try {
      Object[] nameValueReplace = {name, value, 1};
      Function.getFunction(Platform.C_LIBRARY_NAME, "setenv").invokeInt(nameValueReplace);
    } catch (LinkageError e) {
      LOG.debug("{} could not be set", name, e); // slower at worst
    }
  }
}
