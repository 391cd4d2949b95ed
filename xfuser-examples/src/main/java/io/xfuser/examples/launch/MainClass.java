package io.xfuser.examples.launch;

import java.lang.reflect.Method;
import java.lang.reflect.Modifier;

/** Finding a class with a {@code main} by the name that a user gives. */
final class MainClass {
  private static final String EXAMPLES = "io.xfuser.examples.";

  private MainClass() {}

  /**
   * The fully qualified name of the class that {@code name} means: one of io.xfuser.examples, or
   * one named with its package.
   *
   * @throws IllegalArgumentException if it is not on the class path or has no {@code main}
   */
  static String named(String name) {
    String full = name.indexOf('.') < 0 ? EXAMPLES + name : name;
    try {
      Class<?> found = Class.forName(full, false, MainClass.class.getClassLoader());
      Method main = found.getMethod("main", String[].class);
      if (!Modifier.isStatic(main.getModifiers())) {
        throw new IllegalArgumentException("main of class " + full + " is not static");
      }
      return full;
    } catch (ClassNotFoundException | LinkageError e) {
      // A LinkageError: the file system ignores case, and the name differs in it.
      throw new IllegalArgumentException("no class " + full + " on the class path", e);
    } catch (NoSuchMethodException e) {
      throw new IllegalArgumentException("class " + full + " has no public static main", e);
    }
  }
}
