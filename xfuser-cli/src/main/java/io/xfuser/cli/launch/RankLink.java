package io.xfuser.cli.launch;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.lang.ProcessBuilder.Redirect;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;

/** A rank's process and the lines that go to it and come from it; its errors pass unchanged. */
final class RankLink {
  private static final long END_SECONDS = 5;

  private final int number;
  private final Process process;
  private final OutputStream in;

  private RankLink(int number, Process process) {
    this.number = number;
    this.process = process;
    this.in = process.getOutputStream();
  }

  /**
   * Starts a rank.
   *
   * @param heard is told each message, on a thread of the rank's
   * @param ended is told how the process ended
   */
  static RankLink start(
      ProcessBuilder builder,
      int number,
      BiConsumer<RankLink, JsonNode> heard,
      BiConsumer<RankLink, String> ended)
      throws IOException {
    RankLink link = new RankLink(number, builder.redirectError(Redirect.INHERIT).start());
    Thread reader = new Thread(() -> link.read(heard), "xfuser-rank-" + number + "-lines");
    reader.setDaemon(true);
    reader.start();
    var unused =
        link.process
            .onExit()
            .thenAccept(
                gone -> ended.accept(link, "ended with " + new ExitStatus(gone.exitValue())));
    return link;
  }

  private void read(BiConsumer<RankLink, JsonNode> heard) {
    try (BufferedReader lines =
        new BufferedReader(
            new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        JsonNode message = RankWire.read(line);
        if (message != null) {
          heard.accept(this, message);
        }
      }
    } catch (IOException e) {
      return; // the pipe of a killed process closes under the reader
    }
  }

  int number() {
    return number;
  }

  /** Writes a line; one that has ended is heard of otherwise. */
  void write(String line) {
    try {
      in.write((line + "\n").getBytes(StandardCharsets.UTF_8));
      in.flush();
    } catch (IOException e) {
      process.destroyForcibly();
    }
  }

  /** Ends the process: SIGKILL. It has nothing that needs an end in order. */
  void kill() {
    process.destroyForcibly();
  }

  /** Waits a moment until the process, which was killed, is gone. */
  void awaitEnd() {
    try {
      var unused = process.waitFor(END_SECONDS, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
