package io.xfuser.cli.launch;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.xfuser.config.InputConfig;
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

  /**
   * A rank.
   *
   * @param tells whether this rank is the one that tells of progress; unfinished pictures are told
   *     of by those that have them
   */
  public RankService(XDiTParallel ranks, boolean tells, PrintStream out) {
    this.ranks = ranks;
    this.tells = tells;
    this.out = out;
  }

  /**
   * Serves until {@code in} ends or the world is lost.
   *
   * @param laps of its start
   */
  public void run(Laps laps, InputStream in) throws IOException {
    tell(RankWire.message("ready").put("took", laps.toString()));
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
    Telling telling = new Telling();
    try {
      GenerationTask task =
          ranks.submit(
              input,
              GivenTensors.NONE,
              progress -> {
                if (tells || progress instanceof Progress.Preview) {
                  telling.whileItLasts(RankWire.progress(progress));
                }
                return true;
              });
      var unused =
          task.result()
              .thenAccept(
                  made -> telling.last(RankWire.pictures(Drawn.of(made), made.firstPicture())))
              .exceptionally(
                  e -> {
                    Throwable cause = e instanceof CompletionException ? e.getCause() : null;
                    telling.last(RankWire.failed(cause == null ? e : cause));
                    return null;
                  });
      return task;
    } catch (RuntimeException e) {
      telling.last(RankWire.failed(e));
      return null;
    }
  }

  /**
   * What is told of one request. Its listener may still be at work when it is cancelled; what comes
   * after the answer would be taken for the next request's.
   */
  private final class Telling {
    private boolean over;

    void whileItLasts(ObjectNode message) {
      synchronized (out) {
        if (!over) {
          tell(message);
        }
      }
    }

    void last(ObjectNode message) {
      synchronized (out) {
        over = true;
        tell(message);
      }
    }
  }

  private void tell(ObjectNode message) {
    synchronized (out) {
      out.println(RankWire.line(message));
      out.flush();
    }
  }
}
