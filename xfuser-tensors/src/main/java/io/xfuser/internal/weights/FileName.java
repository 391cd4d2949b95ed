package io.xfuser.internal.weights;

import java.util.regex.Pattern;

/**
 * Names of files that a repository or an index of shards gives. They may be anybody's, so none of
 * them is followed out of the folder that it belongs to.
 */
public final class FileName {
  /** Windows' drives, backslashes there, and what no terminal should be told. */
  private static final Pattern UNUSABLE = Pattern.compile("(?s)[A-Za-z]:.*|.*[\\\\\\p{Cntrl}].*");

  private FileName() {}

  /**
   * Whether {@code name}, a path with slashes, stays in the folder that it is resolved against on
   * every platform.
   */
  public static boolean isInside(String name) {
    return !leaves(name) && !UNUSABLE.matcher(name).matches();
  }

  /** Whether {@code name} is no file in the folder: absolute, or with steps that lead upwards. */
  public static boolean leaves(String name) {
    if (name.indexOf('\0') >= 0) {
      return true;
    }
    for (String step : name.replace('\\', '/').split("/", -1)) {
      if (step.isEmpty() || step.chars().allMatch(c -> c == '.' || c == ' ')) {
        return true; // Windows drops dots and spaces at the end
      }
    }
    return false;
  }

  /** {@code name} to be shown: at most a line of it, without control characters. */
  public static String shown(String name) {
    String plain = name.replaceAll("\\p{Cntrl}", "?");
    return plain.length() <= 200 ? plain : plain.substring(0, 200) + "…";
  }
}
