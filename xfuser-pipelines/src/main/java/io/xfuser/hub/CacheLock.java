package io.xfuser.hub;

import io.xfuser.failure.HubException;
import java.io.IOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Lets one thread of one process at a time download a model. The threads of a process take turns
 * before they come to the file: POSIX drops all locks of a process on a file as soon as the process
 * closes it anywhere, so only the thread whose turn it is may have it open.
 */
final class CacheLock {
  private static final Duration POLL = Duration.ofMillis(100);

  /** By the file; whose turn it is belongs to the process, as its locks on files do. */
  private static final Map<Path, ReentrantLock> TURNS = new ConcurrentHashMap<>();

  private CacheLock() {}

  /** What is done while nobody else holds the lock. */
  @FunctionalInterface
  interface Action<T> {
    /** Does it. */
    T run() throws IOException;
  }

  /**
   * Waits until nobody else holds {@code file}, then runs {@code action}.
   *
   * @throws HubException if the thread is interrupted while it waits
   * @throws IllegalStateException if this thread is at {@code action} for the file already
   */
  static <T> T holding(Path file, Action<T> action) throws IOException {
    Path folder = Files.createDirectories(file.resolveSibling("")).toRealPath();
    Path lock = folder.resolve(file.getFileName());
    ReentrantLock turn = TURNS.computeIfAbsent(lock, key -> new ReentrantLock());
    if (turn.isHeldByCurrentThread()) {
      throw new IllegalStateException("this thread is downloading that model already");
    }
    await(turn);
    try (FileChannel channel =
        FileChannel.open(lock, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
      while (tryLock(channel) == null) {
        RetryPolicy.sleep(POLL);
      }
      return action.run(); // closing releases
    } finally {
      turn.unlock();
    }
  }

  private static void await(ReentrantLock turn) {
    try {
      turn.lockInterruptibly();
    } catch (InterruptedException e) {
      throw RetryPolicy.interrupted(e);
    }
  }

  private static @Nullable FileLock tryLock(FileChannel channel) throws IOException {
    try {
      return channel.tryLock();
    } catch (OverlappingFileLockException e) {
      return null; // this class, loaded a second time
    } catch (ClosedByInterruptException e) {
      throw RetryPolicy.interrupted(e);
    }
  }
}
