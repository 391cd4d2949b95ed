package io.xfuser.hub;

import static java.nio.file.StandardOpenOption.CREATE;
import static java.nio.file.StandardOpenOption.WRITE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.xfuser.failure.HubException;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

class CacheLockTest {
  private static final Path KERNELS_LOCKS = Path.of("/proc/locks");

  @TempDir private Path folder = Path.of("");

  @Test
  @Timeout(20)
  void anInterruptedWaiterLeavesTheHoldersLockAlone() throws Exception {
    assumeTrue(Files.isReadable(KERNELS_LOCKS) && locksAreShown(folder.resolve("any")));
    Path file = folder.resolve("locks/download.lock");
    CompletableFuture<Throwable> waiter = new CompletableFuture<>();
    Thread thread = new Thread(() -> waiter.complete(failure(file)));
    boolean held =
        CacheLock.holding(
            file,
            () -> {
              assertThat(isLocked(file)).isTrue();
              thread.start();
              await(thread);
              thread.interrupt();
              assertThat(waiter.join())
                  .isInstanceOf(HubException.class)
                  .hasMessage("the download was interrupted");
              return isLocked(file);
            });
    assertThat(held).isTrue();
    assertThat(isLocked(file)).isFalse();
    assertThat(CacheLock.<Boolean>holding(file, () -> isLocked(file))).isTrue();
  }

  @Test
  @Timeout(20)
  void aThreadThatHasTheLockDoesNotWaitForItself() {
    Path file = folder.resolve("download.lock");
    assertThatThrownBy(() -> CacheLock.holding(file, () -> CacheLock.holding(file, () -> "")))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("already");
  }

  private static Throwable failure(Path file) {
    try {
      CacheLock.holding(file, () -> "");
      return new AssertionError("two threads had the lock");
    } catch (IOException | RuntimeException e) {
      return e;
    }
  }

  private static void await(Thread waiter) {
    while (waiter.getState() != Thread.State.WAITING
        && waiter.getState() != Thread.State.TIMED_WAITING
        && !Thread.interrupted()) { // by the time limit
      Thread.onSpinWait();
    }
  }

  /** They are not where a file system has other inodes than the kernel's. */
  private static boolean locksAreShown(Path file) throws IOException {
    try (FileChannel channel = FileChannel.open(file, CREATE, WRITE);
        FileLock lock = channel.lock()) {
      return lock.isValid() && isLocked(file);
    }
  }

  /** Whether a process has a lock on the file, as the kernel sees it: by its inode. */
  private static boolean isLocked(Path file) throws IOException {
    String inode = ":" + Files.getAttribute(file, "unix:ino") + " ";
    return Files.readAllLines(KERNELS_LOCKS).stream().anyMatch(line -> line.contains(inode));
  }
}
