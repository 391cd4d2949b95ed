package io.xfuser.pipeline;

import io.xfuser.failure.CancelledException;
import io.xfuser.failure.CommunicationException;
import io.xfuser.failure.MemoryException;
import io.xfuser.failure.MismatchException;
import io.xfuser.failure.ModelException;
import io.xfuser.failure.PlatformException;
import io.xfuser.failure.RankException;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;

/** Which rank's failure says most, and how it is told. */
final class RankFailures {
  private RankFailures() {}

  /** Whether a rank only heard of it: another one has failed, or the request was cancelled. */
  static boolean isHeard(Throwable failure) {
    return failure instanceof RankException
        || failure instanceof CancelledException
        || failure instanceof CommunicationException;
  }

  /**
   * What the caller is told of {@code failure} of {@code rank}: itself where its type says what to
   * do about it, else that this rank failed while {@code activity}.
   */
  static RuntimeException told(int rank, String activity, RuntimeException failure) {
    return isHeard(failure)
            || failure instanceof IllegalArgumentException
            || failure instanceof MemoryException
            || failure instanceof ModelException
            || failure instanceof MismatchException
            || failure instanceof PlatformException
        ? failure
        : RankException.of(rank, activity, failure);
  }

  /** What a future says of {@code failure}, without the future's envelope; throws errors. */
  static RuntimeException unchecked(Throwable failure) {
    boolean envelope =
        failure instanceof ExecutionException || failure instanceof CompletionException;
    Throwable inner = failure.getCause();
    Throwable told = envelope && inner != null ? inner : failure;
    if (told instanceof Error error) {
      throw error;
    }
    return told instanceof RuntimeException known ? known : new IllegalStateException(told);
  }
}
