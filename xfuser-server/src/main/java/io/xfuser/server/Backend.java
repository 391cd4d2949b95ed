package io.xfuser.server;

import io.xfuser.config.InputConfig;
import io.xfuser.config.Setting;
import io.xfuser.model.GenerationRequest;
import io.xfuser.pipeline.XDiTParallel;
import io.xfuser.progress.ProgressListener;
import java.time.Duration;
import java.time.Instant;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * What draws for the server: one model, in which order and on what the backend decides. Any thread
 * may call.
 */
public interface Backend extends AutoCloseable {
  /**
   * Judges a request without running it: its sizes and steps with the model's defaults.
   *
   * @throws IllegalArgumentException in one sentence, if the model cannot do what is asked
   */
  GenerationRequest check(InputConfig input);

  /**
   * Takes a request, and returns at once.
   *
   * @param deadline when the pictures are of no use any more, null = never; a backend may order
   *     requests by it, and need not end them: the server does
   * @param listener told of all progress, one event at a time; cancels by returning false
   * @throws IllegalArgumentException as {@link #check}
   * @throws io.xfuser.failure.QueueFullException if too many requests wait
   * @throws io.xfuser.failure.ClosedException if it takes none any more
   */
  Task submit(InputConfig input, @Nullable Instant deadline, ProgressListener listener);

  /** The settings that requests may have; a foreign model's name goes where they all are. */
  default Set<Setting<?>> settings() {
    return Set.copyOf(InputConfig.SETTINGS);
  }

  /** Seconds until it takes requests again, about; 0 = it does, or nobody knows. */
  default double secondsToOpen() {
    return 0;
  }

  /** What it draws with, in words for users: ranks and what they share; empty = not told. */
  default String strategy() {
    return "";
  }

  /** Requests that wait, without those that run. */
  int waiting();

  /** Whether it takes requests. */
  boolean isOpen();

  /**
   * Ends it: what waits is refused, what runs may go on for {@code limit} and is then cancelled.
   *
   * @return whether nothing had to be cancelled
   */
  boolean close(Duration limit);

  @Override
  default void close() {
    close(Duration.ZERO);
  }

  /** A request that was taken. */
  interface Task {
    /**
     * The pictures when they are there, or what stopped them: what {@link XDiTParallel#generate}
     * throws. What depends on it may do anything, and holds up no rank.
     */
    CompletableFuture<Drawn> result();

    /** Has it given up within a step; it is over when {@link #result} says so. */
    void cancel();

    /** How many requests come before this one, as far as that is known; 0 when it runs. */
    int place();
  }

  /**
   * Requests in the order in which they come, one at a time.
   *
   * @param ranks closed with the backend
   */
  static Backend inOrder(XDiTParallel ranks) {
    return new InOrder(ranks);
  }
}
