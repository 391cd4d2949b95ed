package io.xfuser.cli.launch;

import java.util.Map;
import java.util.Optional;

/**
 * Ends a rank whose launcher is gone: one that was killed could not end its ranks itself. A rank
 * learns of its launcher, a program or a script, by the variable XFUSER_LAUNCHER.
 */
public final class LauncherWatch {
  /** Names the launcher's process by its number. */
  public static final String VARIABLE = "XFUSER_LAUNCHER";

  private static final String WATCHED = "xfuser.launcher.watched";
  private static final long TICK_MILLIS = 250;

  /** How long this JVM may take to end in order. */
  private static final long GRACE_MILLIS = 1000;

  private static final int STATUS = 1;

  private final long launcher;
  private final boolean isParent;

  private LauncherWatch(long launcher) {
    this.launcher = launcher;
    this.isParent = parent() == launcher;
  }

  /**
   * Watches the launcher that {@code environment} names, if it names one, on a thread of its own,
   * unless this JVM does so already.
   */
  public static void start(Map<String, String> environment) {
    String number = environment.getOrDefault(VARIABLE, "").strip();
    if (number.matches("\\d{1,18}") && System.getProperty(WATCHED) == null) {
      System.setProperty(WATCHED, number);
      LauncherWatch watch = new LauncherWatch(Long.parseLong(number));
      daemon("xfuser-launcher-watch", watch::run);
    }
  }

  private void run() {
    while (!isGone()) {
      if (!sleep(TICK_MILLIS)) {
        return;
      }
    }
    System.err.println("ended, because the launcher (process " + launcher + ") is gone");
    daemon(
        "xfuser-launcher-end",
        () -> {
          sleep(GRACE_MILLIS);
          Runtime.getRuntime().halt(STATUS);
        });
    System.exit(STATUS);
  }

  /**
   * A killed process that nobody has asked for its status still counts as one, without children.
   */
  private boolean isGone() {
    return (isParent && parent() != launcher)
        || !ProcessHandle.of(launcher).map(ProcessHandle::isAlive).orElse(false);
  }

  private static long parent() {
    Optional<ProcessHandle> parent = ProcessHandle.current().parent();
    return parent.map(ProcessHandle::pid).orElse(0L);
  }

  private static boolean sleep(long millis) {
    try {
      Thread.sleep(millis);
      return true;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  private static void daemon(String name, Runnable body) {
    Thread thread = new Thread(body, name);
    thread.setDaemon(true);
    thread.start();
  }
}
