package io.xfuser.cli.launch;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.xfuser.config.InputConfig;
import io.xfuser.failure.ClosedException;
import io.xfuser.model.GivenTensors;
import io.xfuser.pipeline.GenerationTask;
import io.xfuser.pipeline.XDiTParallel;
import io.xfuser.progress.Progress;
import io.xfuser.server.Drawn;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CompletionException;
import org.jspecify.annotations.Nullable;

/** A rank's process that does what a server asks for, one request after another. */
public final class RankService {
  private final XDiTParallel ranks;
  private final boolean tells;
  private final PrintStream out;

  private RankService(XDiTParallel ranks, boolean tells, PrintStream out) {
    this.ranks = ranks;
    this.tells = tells;
    this.out = out;
  }

  /**
   * Serves until {@code in} ends or the world is lost.
   *
   * @param tells whether this rank is the one that tells of progress; unfinished pictures are told
   *     of by those that have them
   */
  public static void run(XDiTParallel ranks, boolean tells, InputStream in, PrintStream out)
      throws IOException {
    new RankService(ranks, tells, out).run(in);
  }

  private void run(InputStream in) throws IOException {
    tell(RankWire.message("ready"));
    BufferedReader lines = new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8));
    GenerationTask task = null;
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      JsonNode message = RankWire.read(line);
      String kind = message == null ? "" : message.path("kind").asText();
      if (message != null && kind.equals("draw")) {
        task = draw(RankWire.input(message));
      } else if (kind.equals("cancel") && task != null) {
        task.cancel();
      }
    }
  }

  private @Nullable GenerationTask draw(InputConfig input) {
    try {
      GenerationTask task =
          ranks.submit(
              input,
              GivenTensors.NONE,
              progress -> {
                if (tells || progress instanceof Progress.Preview) {
                  tell(RankWire.progress(progress));
                }
                return true;
              });
      var unused =
          task.result()
              .thenAccept(made -> tell(RankWire.pictures(Drawn.of(made), made.firstPicture())))
              .exceptionally(
                  e -> {
                    failed(
                        e instanceof CompletionException && e.getCause() != null
                            ? e.getCause()
                            : e);
                    return null;
                  });
      return task;
    } catch (IllegalArgumentException | ClosedException e) {
      failed(e);
      return null;
    }
  }

  private void failed(Throwable e) {
    ObjectNode message = RankWire.message("failed");
    message
        .put("type", e.getClass().getSimpleName())
        .put("message", String.valueOf(e.getMessage()));
    tell(message);
  }

  private void tell(ObjectNode message) {
    synchronized (out) {
      out.println(RankWire.line(message));
      out.flush();
    }
  }
}
