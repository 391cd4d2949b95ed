package io.xfuser.failure;

import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * There was not enough memory, of the machine, of a GPU or of Java. The first line of the message
 * says so, and how much was asked for where that is known. What was computed is lost; the next
 * computation works if it needs less, or more is free.
 */
public final class MemoryException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private static final double KILO = 1000;

  /** What libtorch, CUDA, oneDNN and the C++ library say, with the amount where they tell it. */
  private static final Pattern SIGNS =
      Pattern.compile(
          "DefaultCPUAllocator: [^:]*: you tried to allocate (?<bytes>\\d+) bytes"
              + "|(CUDA out of memory\\. )?Tried to allocate (?<amount>[\\d.]+ ([KMG]?i?B|bytes))"
              + "|unable to mmap (?<mapped>\\d+) bytes[^\\n]*Cannot allocate memory"
              + "|CUDA out of memory|CUDA error: out of memory|ALLOC_FAILED|std::bad_alloc"
              + "|out_of_memory|Cannot allocate memory");

  private final String asked;

  /**
   * With the whole message.
   *
   * @param asked how much was asked for, after a comma; empty if it is not known
   */
  public MemoryException(String message, String asked, Throwable cause) {
    super(message, cause);
    this.asked = asked;
  }

  /**
   * What {@code failure} or one of its causes says of memory; nothing if it is another failure.
   *
   * @param doing what was being done
   */
  public static Optional<MemoryException> of(Throwable failure, String doing) {
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      String message = String.valueOf(cause.getMessage());
      if (cause instanceof MemoryException known) {
        return Optional.of(of(failure, doing, known.asked));
      } else if (cause instanceof OutOfMemoryError) {
        String most = amount((double) Runtime.getRuntime().maxMemory());
        return Optional.of(
            of(failure, doing, ": Java's own memory, " + most + ", is full (" + message + ")"));
      }
      Optional<String> asked = asked(message);
      if (asked.isPresent()) {
        return Optional.of(of(failure, doing, asked.get()));
      }
    }
    return Optional.empty();
  }

  private static MemoryException of(Throwable failure, String doing, String asked) {
    return new MemoryException("out of memory while " + doing + asked, asked, failure);
  }

  /** The same with what may help, after a semicolon. */
  public MemoryException withRemedy(String remedy) {
    return new MemoryException(getMessage() + "; " + remedy, asked, this);
  }

  /**
   * What is to be said, after a comma, of how much was asked for, where {@code message} says that
   * there was no memory; nothing if it says something else.
   */
  public static Optional<String> asked(String message) {
    Matcher signs = SIGNS.matcher(message);
    if (!signs.find()) {
      return Optional.empty();
    }
    String bytes = signs.group("bytes") == null ? signs.group("mapped") : signs.group("bytes");
    String needed =
        bytes != null
            ? ", %s bytes more were needed (%s)".formatted(bytes, amount(Double.parseDouble(bytes)))
            : signs.group("amount") == null
                ? ""
                : ", " + signs.group("amount") + " more were needed";
    return Optional.of((message.contains("CUDA") ? " on the GPU" : "") + needed);
  }

  /** Bytes for a person: {@code 1.5 GB}. */
  public static String amount(double bytes) {
    String[] units = {"bytes", "kB", "MB", "GB", "TB", "PB", "EB"};
    double number = bytes;
    int unit = 0;
    while (number >= KILO && unit < units.length - 1) {
      number /= KILO;
      unit++;
    }
    return String.format(Locale.ROOT, unit == 0 ? "%.0f %s" : "%.1f %s", number, units[unit]);
  }
}
