package io.xfuser.cli.launch;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.util.Arrays;

/** What a rank's JVM starts with: any main class, which ends with its launcher. */
public final class RankMain {
  private RankMain() {}

  /**
   * Runs the main class that the first argument names, with the others.
   *
   * @throws Throwable what it throws
   */
  public static void main(String[] arguments) throws Throwable {
    LauncherWatch.start(System.getenv());
    Method main = Class.forName(arguments[0]).getMethod("main", String[].class);
    main.setAccessible(true); // of a class that need not be public
    try {
      main.invoke(null, (Object) Arrays.copyOfRange(arguments, 1, arguments.length));
    } catch (InvocationTargetException e) {
      throw e.getCause();
    }
  }
}
