package io.xfuser.cli.launch;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.lang.ProcessBuilder.Redirect;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;

/** A rank's process and the lines that go to it and come from it; its errors pass unchanged. */
final class RankPipe implements RankLink {
  private static final long END_SECONDS = 5;

  private final int number;
  private final Process process;

  /** A rank that does not read holds up nobody else. */
  private final ExecutorService writer;

  private RankPipe(int number, Process process) {
    this.number = number;
    this.process = process;
    this.writer =
        new ThreadPoolExecutor(
            1,
            1,
            0,
            TimeUnit.SECONDS,
            new LinkedBlockingQueue<>(),
            line -> daemon(line, "xfuser-rank-" + number + "-requests"),
            new ThreadPoolExecutor.DiscardPolicy()); // what comes when it has ended
  }

  /** The ranks of {@code plan}, all on this machine; each start has a port and a secret. */
  static RankLink.Start of(LaunchPlan plan) {
    return (heard, ended) -> {
      LaunchTopology place = LaunchTopology.local(plan.placement().worldSize());
      LaunchPlan now = new LaunchPlan(plan.mainClass(), plan.arguments(), place);
      Credentials credentials = Credentials.of(place);
      List<RankLink> started = new ArrayList<>();
      try {
        for (int rank = 0; rank < place.worldSize(); rank++) {
          ProcessBuilder command = RankCommand.of(now, credentials, rank);
          command.environment().put(RankWorld.OF_A_SERVER, "1");
          started.add(start(command, rank, heard, ended));
        }
        return started;
      } catch (IOException | RuntimeException e) {
        started.forEach(RankLink::kill);
        throw e;
      }
    };
  }

  private static RankPipe start(
      ProcessBuilder builder,
      int number,
      BiConsumer<RankLink, JsonNode> heard,
      BiConsumer<RankLink, String> ended)
      throws IOException {
    RankPipe pipe = new RankPipe(number, builder.redirectError(Redirect.INHERIT).start());
    daemon(() -> pipe.read(heard), "xfuser-rank-" + number + "-lines").start();
    var unused =
        pipe.process
            .onExit()
            .thenAcceptAsync( // never on this thread, which may hold the world
                gone -> {
                  pipe.writer.shutdownNow();
                  ended.accept(pipe, "ended with " + new ExitStatus(gone.exitValue()));
                });
    return pipe;
  }

  private static Thread daemon(Runnable body, String name) {
    Thread thread = new Thread(body, name);
    thread.setDaemon(true);
    return thread;
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
    } catch (IOException | RuntimeException e) {
      kill(); // the pipe of one that was killed closes; one that cannot be understood is lost too
    }
  }

  @Override
  public int number() {
    return number;
  }

  @Override
  public void write(String line) {
    writer.execute(() -> writeNow(line + "\n"));
  }

  private void writeNow(String line) {
    try {
      OutputStream in = process.getOutputStream();
      in.write(line.getBytes(StandardCharsets.UTF_8));
      in.flush();
    } catch (IOException e) {
      kill();
    }
  }

  @Override
  public void kill() {
    process.destroyForcibly();
  }

  @Override
  public void awaitEnd() {
    try {
      var unused = process.waitFor(END_SECONDS, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
