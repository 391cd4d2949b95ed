package io.xfuser.cli.flags;

import io.xfuser.failure.ArgumentException;
import java.nio.charset.Charset;

/**
 * Whether a command's arguments are what the user wrote. Java reads them in the encoding of the
 * locale, and where that has no such letter, as in containers, cron jobs and services that set
 * none, puts U+FFFD in its place; a prompt with it draws another picture.
 */
public final class ReadableText {
  private static final char REPLACEMENT = '\uFFFD';

  private ReadableText() {}

  /**
   * Refuses arguments that lost letters, in one sentence that says how to keep them.
   *
   * @throws ArgumentException if one holds U+FFFD or half of a surrogate pair
   */
  public static void require(String... arguments) {
    String flag = "";
    for (String argument : arguments) {
      if (argument.startsWith("--")) {
        flag = argument.replaceFirst("(?s)=.*", "");
      }
      if (isBroken(argument)) {
        throw new ArgumentException(
            sentence(flag.isEmpty() || isBroken(flag) ? "an argument" : flag));
      }
    }
  }

  private static String sentence(String what) {
    String encoding = System.getProperty("sun.jnu.encoding", Charset.defaultCharset().name());
    String holds = what + " holds letters that cannot be read ";
    return encoding.equalsIgnoreCase("UTF-8")
        ? holds + "because they are not in UTF-8, the encoding of this locale"
        : holds
            + "in the encoding of this locale, "
            + encoding
            + "; set one with UTF-8, for example by LC_ALL=C.UTF-8 in the environment";
  }

  /** Whether {@code text} has the mark of a lost letter, or half of a surrogate pair. */
  static boolean isBroken(String text) {
    return text.codePoints()
        .anyMatch(point -> point == REPLACEMENT || (point >= 0xD800 && point <= 0xDFFF));
  }
}
