package io.xfuser.cli.launch;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.util.List;
import java.util.function.BiConsumer;

/** A rank with a process of its own: what is told to it, and its end. */
interface RankLink {
  /** Its number among all. */
  int number();

  /** Writes a line, on another thread; one that has ended is heard of otherwise. */
  void write(String line);

  /** Ends the process: SIGKILL. It has nothing that needs an end in order. */
  void kill();

  /** Waits a moment until the process, which was killed, is gone. */
  void awaitEnd();

  /** How the ranks of a world are started. */
  @FunctionalInterface
  interface Start {
    /**
     * Starts all of them, or none.
     *
     * @param heard is told each message, on a thread of the rank's
     * @param ended is told once how the process ended
     */
    List<RankLink> all(BiConsumer<RankLink, JsonNode> heard, BiConsumer<RankLink, String> ended)
        throws IOException;
  }
}
