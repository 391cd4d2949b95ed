package io.xfuser.internal.parallel.socket;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SharedRingTest {
  private static final byte[] TOKEN = {1, 2, 3};

  @Test
  void bytesArriveInOrderThroughManyTurnsOfTheRing(@TempDir Path directory) throws Exception {
    SharedRing out = SharedRing.create(directory.resolve("ring"), TOKEN);
    SharedRing in = SharedRing.open(directory.resolve("ring"), TOKEN);
    byte[] sent = new byte[10 * SharedRing.CAPACITY + 12_345];
    new Random(7).nextBytes(sent);
    CompletableFuture<Void> writing =
        CompletableFuture.runAsync(
            () ->
                inPieces(new Random(1), sent.length, (from, n) -> out.write(slice(sent, from, n))));
    byte[] received = new byte[sent.length];
    inPieces(new Random(2), sent.length, (from, n) -> in.read(slice(received, from, n)));
    writing.join();
    assertThat(received).isEqualTo(sent);
  }

  @Test
  void closingEndsWhoWaits(@TempDir Path directory) throws Exception {
    SharedRing out = SharedRing.create(directory.resolve("ring"), TOKEN);
    SharedRing in = SharedRing.open(directory.resolve("ring"), TOKEN);
    out.write(ByteBuffer.allocate(SharedRing.CAPACITY)); // and now it is full
    CompletableFuture<Void> full =
        CompletableFuture.runAsync(() -> unchecked(() -> out.write(ByteBuffer.allocate(1))));
    Thread.sleep(50);
    out.close();
    assertThatThrownBy(full::join)
        .isInstanceOf(CompletionException.class)
        .hasRootCauseInstanceOf(ClosedChannelException.class);
    in.read(ByteBuffer.allocate(SharedRing.CAPACITY));
    in.close();
    assertThatThrownBy(() -> in.read(ByteBuffer.allocate(1)))
        .isInstanceOf(ClosedChannelException.class);
  }

  @Test
  void aFileOfAnotherRankIsNotTaken(@TempDir Path directory) throws Exception {
    SharedRing unused = SharedRing.create(directory.resolve("ring"), TOKEN);
    assertThatThrownBy(() -> SharedRing.open(directory.resolve("ring"), new byte[] {1, 2, 4}))
        .hasMessageStartingWith("not the file of the other rank");
    assertThat(unused).isNotNull();
  }

  @Test
  void bothSidesUseSharedMemoryOrNeitherAndNoFileIsLeft() throws Exception {
    for (boolean first : new boolean[] {true, false}) {
      for (boolean second : new boolean[] {true, false}) {
        try (ServerSocketChannel server = ServerSocketChannel.open()) {
          server.bind(new InetSocketAddress("localhost", 0));
          try (SocketChannel one = SocketChannel.open(server.getLocalAddress());
              SocketChannel two = server.accept()) {
            CompletableFuture<SharedRings> others =
                CompletableFuture.supplyAsync(() -> exchange(two, second));
            SharedRings own = exchange(one, first);
            boolean shared = first && second && Files.isWritable(Path.of("/dev/shm"));
            assertThat(own.out() != null).isEqualTo(shared);
            assertThat(own.in() != null).isEqualTo(shared);
            assertThat(others.join().out() != null).isEqualTo(shared);
            assertThat(others.join().in() != null).isEqualTo(shared);
          }
        }
      }
    }
  }

  @Test
  void whatKilledRanksHaveLeftIsDeletedOnceItIsOld(@TempDir Path directory) throws Exception {
    Path old = Files.createFile(directory.resolve("xfuser-old"));
    Files.setLastModifiedTime(old, FileTime.from(Instant.now().minus(Duration.ofHours(2))));
    Path young = Files.createFile(directory.resolve("xfuser-young"));
    Path foreign = Files.createFile(directory.resolve("another"));
    Files.setLastModifiedTime(foreign, Files.getLastModifiedTime(old));
    SharedRings.sweep(directory);
    assertThat(old).doesNotExist();
    assertThat(young).exists();
    assertThat(foreign).exists();
    SharedRings.sweep(directory.resolve("none"));
  }

  @Test
  void aRingIsForItsUserAlone(@TempDir Path directory) throws Exception {
    assertThat(SharedRing.create(directory.resolve("ring"), TOKEN)).isNotNull();
    assertThat(
            PosixFilePermissions.toString(Files.getPosixFilePermissions(directory.resolve("ring"))))
        .isEqualTo("rw-------");
    Files.createSymbolicLink(directory.resolve("link"), directory.resolve("ring"));
    assertThatThrownBy(() -> SharedRing.open(directory.resolve("link"), TOKEN))
        .isInstanceOf(IOException.class);
  }

  @Test
  void aSideThatStopsIsNotWaitedForWithoutLimit() throws Exception {
    try (ServerSocketChannel server = ServerSocketChannel.open()) {
      server.bind(new InetSocketAddress("localhost", 0));
      try (SocketChannel one = SocketChannel.open(server.getLocalAddress());
          SocketChannel silent = server.accept()) {
        assertThatThrownBy(() -> SharedRings.exchange(one, true, Duration.ofMillis(300), () -> {}))
            .isInstanceOf(SocketTimeoutException.class);
        assertThatThrownBy(
                () ->
                    SharedRings.exchange(
                        one,
                        true,
                        Duration.ofSeconds(30),
                        () -> {
                          throw new IllegalStateException("rank 1 died");
                        }))
            .hasMessage("rank 1 died");
        assertThat(silent.isOpen()).isTrue();
      }
    }
  }

  private static SharedRings exchange(SocketChannel channel, boolean wanted) {
    try {
      return SharedRings.exchange(channel, wanted, Duration.ofSeconds(30), () -> {});
    } catch (IOException e) {
      throw new CompletionException(e);
    }
  }

  private static void inPieces(Random random, int length, Piece piece) {
    int from = 0;
    while (from < length) {
      int start = from;
      int n = Math.min(length - start, random.nextInt(SharedRing.CAPACITY));
      unchecked(() -> piece.move(start, n));
      from += n;
    }
  }

  private static ByteBuffer slice(byte[] bytes, int from, int length) {
    return ByteBuffer.wrap(bytes, from, length).slice();
  }

  private static void unchecked(Action action) {
    try {
      action.run();
    } catch (IOException e) {
      throw new CompletionException(e);
    }
  }

  private interface Action {
    void run() throws IOException;
  }

  private interface Piece {
    void move(int from, int length) throws IOException;
  }
}
