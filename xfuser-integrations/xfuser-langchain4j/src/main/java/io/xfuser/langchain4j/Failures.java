package io.xfuser.langchain4j;

import dev.langchain4j.exception.InternalServerException;
import dev.langchain4j.exception.InvalidRequestException;
import dev.langchain4j.exception.LangChain4jException;
import dev.langchain4j.exception.RateLimitException;
import dev.langchain4j.exception.TimeoutException;
import dev.langchain4j.exception.UnresolvedModelServerException;
import io.xfuser.failure.CancelledException;
import io.xfuser.failure.ClosedException;
import io.xfuser.failure.CommunicationException;
import io.xfuser.failure.MemoryException;
import io.xfuser.failure.QueueFullException;
import io.xfuser.failure.RankException;
import io.xfuser.pipeline.Generation;
import io.xfuser.pipeline.GenerationTask;
import java.time.Duration;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;

/** langchain4j's exceptions for those of the pipeline. */
final class Failures {
  private Failures() {}

  /** What {@code drawing} gives, or what it throws, as langchain4j's. */
  static <T> T told(Supplier<T> drawing) {
    try {
      return drawing.get();
    } catch (LangChain4jException e) {
      throw e;
    } catch (RuntimeException e) {
      throw of(e);
    }
  }

  private static LangChain4jException of(RuntimeException e) {
    // What needs more memory than there is will need it the next time too.
    if (e instanceof IllegalArgumentException || e instanceof MemoryException) {
      return new InvalidRequestException(e.getMessage(), e);
    }
    if (e instanceof QueueFullException) {
      return new RateLimitException(e.getMessage(), e);
    }
    if (e instanceof ClosedException) {
      return new UnresolvedModelServerException(e.getMessage(), e);
    }
    if (e instanceof RankException || e instanceof CommunicationException) {
      return new InternalServerException(e.getMessage(), e);
    }
    return new LangChain4jException(e.getMessage(), e);
  }

  /** Waits for {@code task}, and cancels it after {@code limit}. */
  static Generation within(Duration limit, GenerationTask task) {
    AtomicBoolean late = new AtomicBoolean();
    ScheduledThreadPoolExecutor clock = new ScheduledThreadPoolExecutor(1);
    try {
      var unused =
          clock.schedule(
              () -> {
                late.set(true);
                task.cancel();
              },
              limit.toNanos(),
              TimeUnit.NANOSECONDS);
      return task.await();
    } catch (CancelledException e) {
      throw late.get() ? new TimeoutException("no picture within " + limit, e) : e;
    } finally {
      clock.shutdownNow();
    }
  }
}
