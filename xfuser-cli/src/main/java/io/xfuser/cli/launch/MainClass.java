package io.xfuser.cli.launch;

import io.xfuser.failure.ArgumentException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.List;

/** Finding a class with a {@code main} by the name that a user gives. */
final class MainClass {
  /** Where a name without a package is looked for; the last one is told if it is in neither. */
  private static final List<String> PACKAGES = List.of("io.xfuser.cli.", "io.xfuser.examples.");

  private MainClass() {}

  /**
   * The fully qualified name of the class that {@code name} means: one of io.xfuser.cli or
   * io.xfuser.examples, or one named with its package.
   *
   * @throws ArgumentException if it is not on the class path or has no {@code main}
   */
  static String named(String name) {
    String full =
        PACKAGES.stream()
            .map(place -> place + name)
            .filter(MainClass::exists)
            .findFirst()
            .orElse(PACKAGES.get(PACKAGES.size() - 1) + name);
    return withMain(name.indexOf('.') < 0 ? full : name);
  }

  private static boolean exists(String full) {
    return MainClass.class.getResource("/" + full.replace('.', '/') + ".class") != null;
  }

  private static String withMain(String full) {
    try {
      Class<?> found = Class.forName(full, false, MainClass.class.getClassLoader());
      Method main = found.getMethod("main", String[].class);
      if (!Modifier.isStatic(main.getModifiers())) {
        throw new ArgumentException("main of class " + full + " is not static");
      }
      return full;
    } catch (ClassNotFoundException | LinkageError e) {
      // A LinkageError: the file system ignores case, and the name differs in it.
      throw new ArgumentException("no class " + full + " on the class path", e);
    } catch (NoSuchMethodException e) {
      throw new ArgumentException("class " + full + " has no public static main", e);
    }
  }
}
