package io.xfuser.failure;

import io.xfuser.internal.failure.Reason;
import java.util.List;

/**
 * A rank failed, or its process or a connection to it was lost. The message is one sentence that
 * names the rank and what it was doing. In a request, the next one works, unless the rank was lost:
 * then every later call throws a {@link ClosedException}.
 */
public final class RankException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private static final String SEPARATOR = "\u001f";

  private final int rank;
  private final String activity;

  /**
   * With the sentence to show.
   *
   * @param rank the one that failed
   * @param activity what it was doing: {@code decoding}
   */
  public RankException(int rank, String activity, String message) {
    super(message);
    this.rank = rank;
    this.activity = activity;
  }

  /** {@code rank} failed by {@code cause} while {@code activity}, and says so. */
  public static RankException of(int rank, String activity, Throwable cause) {
    String message = "rank " + rank + " failed while " + activity + ": " + Reason.of(cause);
    RankException failed = new RankException(rank, activity, message);
    failed.initCause(cause);
    return failed;
  }

  /** The rank that failed. */
  public int rank() {
    return rank;
  }

  /** What it was doing: {@code in PipeFusion step 3 of 20}. */
  public String activity() {
    return activity;
  }

  /** All of it but the cause, in one line for another process. */
  public String encoded() {
    return String.join(SEPARATOR, String.valueOf(rank), activity, getMessage());
  }

  /** What {@link #encoded} has made of it, perhaps cut off at its end. */
  public static RankException decoded(String line) {
    List<String> parts = List.of(line.split(SEPARATOR, 3));
    return new RankException(Integer.parseInt(parts.get(0)), parts.get(1), parts.get(2));
  }
}
