package io.xfuser.torchscript;

import io.xfuser.failure.MemoryException;
import io.xfuser.internal.failure.Reason;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What libtorch says of a failure, with the reason first: its own text begins with a traceback. */
final class LibtorchError {
  /** The line after the traceback; before it the kind of a Python exception. */
  private static final Pattern RAISED = Pattern.compile("(?m)^(?:[A-Za-z.]*Error): (.+)$");

  /** Before a name that a dictionary does not have; programs have no others than weights. */
  private static final String NO_KEY = "KeyError: ";

  private LibtorchError() {}

  /** {@code what} failed: a line with the reason, and below it all that libtorch said. */
  static RuntimeException of(String what, RuntimeException failure) {
    String text = String.valueOf(failure.getMessage()).strip();
    String below = text.contains("\n") ? "\n" + text : "";
    return MemoryException.asked(text)
        .<RuntimeException>map(
            asked -> new MemoryException(what + ": out of memory" + asked + below, asked, failure))
        .orElseGet(
            () -> {
              String reason = reason(text);
              String first = reason.isEmpty() ? Reason.of(failure) : reason;
              return new IllegalStateException(what + ": " + first + below, failure);
            });
  }

  private static String reason(String text) {
    Matcher raised = RAISED.matcher(text);
    String last = "";
    while (raised.find()) {
      last = raised.group(1).strip();
    }
    return last.startsWith(NO_KEY)
        ? "there is no weight \"%s\"".formatted(last.substring(NO_KEY.length()))
        : last;
  }
}
