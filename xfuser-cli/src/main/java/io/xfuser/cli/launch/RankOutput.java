package io.xfuser.cli.launch;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * What one rank writes, passed on in whole lines; the last of them are kept.
 *
 * <p>The newest line of standard error is held back for a moment, so that a sentence that every
 * rank ends with need not be shown by each.
 *
 * <p>Bytes are read as ISO 8859-1 and written as such, so a rank's own encoding passes unchanged.
 */
final class RankOutput {
  private static final int KEPT_LINES = 20;
  private static final long HOLD_NANOS = TimeUnit.SECONDS.toNanos(1);

  private final String prefix;
  private final PrintStream out;
  private final PrintStream err;
  private final Deque<String> tail = new ArrayDeque<>();
  private @Nullable String held;
  private long heldSince;

  /** Each line is preceded by {@code prefix}. */
  RankOutput(String prefix, PrintStream out, PrintStream err) {
    this.prefix = prefix;
    this.out = out;
    this.err = err;
  }

  /** Passes standard output on, line by line, until it ends. */
  void copyOutput(InputStream from) throws IOException {
    BufferedReader lines = reader(from);
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      keep(line);
      write(out, prefix + line + "\n");
    }
  }

  /** Passes standard error on, line by line, until it ends; the last line is held back. */
  void copyErrors(InputStream from) throws IOException {
    BufferedReader lines = reader(from);
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      synchronized (this) {
        showHeld();
        keep(line);
        held = line;
        heldSince = System.nanoTime();
      }
    }
  }

  /** Passes standard error on as it comes, byte by byte, so that a progress bar can redraw. */
  void copyTerminalErrors(InputStream from) throws IOException {
    byte[] chunk = new byte[8192];
    StringBuilder line = new StringBuilder();
    for (int count = from.read(chunk); count >= 0; count = from.read(chunk)) {
      String text = new String(chunk, 0, count, ISO_8859_1);
      write(err, text);
      for (String part : text.split("(?<=\n)", -1)) {
        line.append(part);
        if (part.endsWith("\n")) {
          keep(lastDrawn(line));
          line.setLength(0);
        }
      }
    }
    if (!line.isEmpty()) {
      keep(lastDrawn(line));
    }
  }

  /** What is seen of a line that carriage returns redraw. */
  private static String lastDrawn(StringBuilder line) {
    String text = line.toString().stripTrailing();
    return text.substring(text.lastIndexOf('\r') + 1);
  }

  /** The last lines, oldest first. */
  synchronized List<String> tail() {
    return List.copyOf(tail);
  }

  /** The line held back, if there is one. */
  synchronized Optional<String> held() {
    return Optional.ofNullable(held);
  }

  /** Shows the line held back if it has waited long enough: its rank has not ended with it. */
  synchronized void showHeldIfOld() {
    if (held != null && System.nanoTime() - heldSince > HOLD_NANOS) {
      showHeld();
    }
  }

  /** Shows the line held back. */
  synchronized void showHeld() {
    if (held != null) {
      write(err, prefix + held + "\n");
      held = null;
    }
  }

  private synchronized void keep(String line) {
    if (tail.size() == KEPT_LINES) {
      tail.removeFirst();
    }
    tail.addLast(line);
  }

  /** One call of write for a line: other ranks' lines are written to the same stream. */
  static void write(PrintStream to, String text) {
    byte[] bytes = text.getBytes(ISO_8859_1);
    to.write(bytes, 0, bytes.length);
    to.flush();
  }

  private static BufferedReader reader(InputStream from) {
    return new BufferedReader(new InputStreamReader(from, ISO_8859_1));
  }
}
