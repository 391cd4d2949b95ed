package io.xfuser.internal.parallel.socket;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * The shared memory between this rank and another of the same machine, one ring for each direction;
 * absent where the two cannot share any.
 *
 * @param out this rank writes
 * @param in this rank reads
 */
record SharedRings(@Nullable SharedRing out, @Nullable SharedRing in) {
  static final Path DIRECTORY = Path.of("/dev/shm");
  private static final String PREFIX = "xfuser-";

  /** Longer than ranks may take to join. */
  private static final Duration ABANDONED = Duration.ofHours(1);

  /** No shared memory. */
  static final SharedRings NONE = new SharedRings(null, null);

  /**
   * Agrees with the other side, over the connection to it. Whether both are on one machine is found
   * out by trying: the other side must see the file this one has made. The files are deleted before
   * it returns, the memory lasts as long as a process holds it.
   *
   * @param wanted whether this rank may use shared memory at all
   * @param limit how long the other side may take
   * @param check called while it is waited for; what it throws ends the wait
   * @throws IOException if the connection breaks, or the other side is silent
   */
  static SharedRings exchange(SocketChannel channel, boolean wanted, Duration limit, Runnable check)
      throws IOException {
    DataOutputStream output = new DataOutputStream(channel.socket().getOutputStream());
    DataInputStream input = new DataInputStream(new TimedInput(channel, limit, check));
    String token = UUID.randomUUID().toString();
    Path file = DIRECTORY.resolve(PREFIX + token);
    try {
      SharedRing own = wanted ? create(file, token) : null;
      output.writeUTF(own == null ? "" : token);
      SharedRing theirs = open(input.readUTF(), wanted);
      output.writeBoolean(theirs != null);
      boolean seen = input.readBoolean();
      return new SharedRings(seen ? own : null, theirs);
    } finally {
      Files.deleteIfExists(file);
    }
  }

  /**
   * Deletes what ranks have left that were killed while they joined; no other has such old ones.
   */
  static void sweep(Path directory) {
    FileTime old = FileTime.from(Instant.now().minus(ABANDONED));
    try (DirectoryStream<Path> files = Files.newDirectoryStream(directory, PREFIX + "*")) {
      for (Path file : files) {
        if (Files.getLastModifiedTime(file, LinkOption.NOFOLLOW_LINKS).compareTo(old) < 0) {
          Files.deleteIfExists(file);
        }
      }
    } catch (IOException | DirectoryIteratorException e) {
      return; // no such directory, or the files are another user's
    }
  }

  /** Makes who waits in this process throw. */
  void close() {
    if (out != null) {
      out.close();
    }
    if (in != null) {
      in.close();
    }
  }

  private static @Nullable SharedRing create(Path file, String token) {
    try {
      return SharedRing.create(file, token.getBytes(StandardCharsets.US_ASCII));
    } catch (IOException | UnsupportedOperationException e) {
      return null; // no such directory, no room, not allowed: the tensors go over TCP
    }
  }

  private static @Nullable SharedRing open(String token, boolean wanted) {
    if (token.isEmpty() || !wanted) {
      return null;
    }
    try {
      UUID checked = UUID.fromString(token); // never a path of the other side's choice
      return SharedRing.open(
          DIRECTORY.resolve(PREFIX + checked), token.getBytes(StandardCharsets.US_ASCII));
    } catch (IOException | IllegalArgumentException e) {
      return null;
    }
  }
}
