package io.xfuser.internal.parallel;

import ai.djl.ndarray.NDArray;
import io.xfuser.failure.CancelledException;
import io.xfuser.failure.ClosedException;
import io.xfuser.failure.CommunicationException;
import io.xfuser.failure.MismatchException;
import io.xfuser.failure.RankException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Carries messages from this rank to any other. Messages from one rank to another on one channel
 * arrive in the order they were sent. Used by one thread per rank; {@link #cancel} by any.
 */
public interface Transport extends AutoCloseable {
  int rank();

  /** The number of ranks. */
  int size();

  /**
   * Sends; returns at once, whatever the receiver does.
   *
   * @param tensors of any layout; they may be closed after the call but never be written again
   * @throws RuntimeException as {@link #check}
   */
  void send(Channel channel, int to, List<NDArray> tensors);

  /**
   * Posts a receive of the next message of {@code from}. Receives may be awaited in any order; each
   * gets the message whose turn it was when it was posted.
   *
   * @param operation what it is for, as the message of a failure tells it
   */
  Pending receive(Channel channel, int from, String operation);

  /**
   * Throws what has ended the current request or the world, if something has. A rank whose process
   * or connection is lost ends the world, all else the request.
   *
   * @throws RankException if a rank has failed or was lost
   * @throws CancelledException if the request was cancelled
   * @throws CommunicationException if this rank has left
   */
  void check();

  /** Whether there may be a next request: no rank was lost, and this one has not left. */
  boolean isOpen();

  /** Says what this rank does from now on, for the others to tell if it dies. */
  void activity(String what);

  /**
   * Says that this rank begins a denoising step. In steps of the same kind all ranks of a group
   * play the same rounds as in others of this request, some more or fewer at most; so those need
   * not be announced where they would be. All ranks call it at the same steps.
   *
   * @param kind what decides about rounds; none after the last step
   * @throws CommunicationException if ranks have played different rounds in the step before
   */
  default void step(@Nullable String kind) {}

  /**
   * Starts a new request: what is left of cancelled and failed ones is dropped. All ranks call it
   * equally often.
   *
   * @throws ClosedException if the world is closed, because a rank was lost; the sentence says
   *     which
   */
  void begin();

  /**
   * Makes all ranks' pending and following calls of the current request throw CancelledException.
   */
  void cancel(String reason);

  /**
   * Tells the other ranks that this one has failed in the current request, so that they stop
   * waiting for it: their pending and following calls of the request throw, the next request works.
   * Only the first failure of a request counts. Nothing is told of what all ranks throw by
   * themselves: {@link CancelledException} and {@link MismatchException}.
   */
  void fail(Throwable cause);

  /**
   * Leaves once everything sent is delivered. Not a failure for the others unless they still wait
   * for this rank.
   */
  @Override
  void close();
}
