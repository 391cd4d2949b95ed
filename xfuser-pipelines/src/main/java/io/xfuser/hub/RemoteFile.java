package io.xfuser.hub;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.xfuser.failure.HubException;
import io.xfuser.internal.weights.FileName;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Optional;

/**
 * What the hub says of a file.
 *
 * @param name in the repository
 * @param etag of a large file (LFS) its SHA-256, of another the SHA-1 of its git blob
 * @param size in bytes
 */
record RemoteFile(String name, String etag, long size) {
  private static final int BUFFER = 1 << 20;
  private static final int SHA1_DIGITS = 40;
  private static final int SHA256_DIGITS = 64;

  RemoteFile {
    if (!etag.matches("[\\w-][\\w.-]*")) {
      throw new HubException(
          "the hub gives %s the unusable ETag \"%s\"".formatted(name, FileName.shown(etag)));
    }
    if (size < 0) {
      throw new HubException("the hub gives %s the impossible size %d".formatted(name, size));
    }
  }

  /** What is wrong with {@code copy}; nothing if it is this file. */
  Optional<String> defect(Path copy) throws IOException {
    long found = Files.size(copy);
    if (found != size) {
      return Optional.of("it has %d bytes or more, not %d".formatted(found, size));
    }
    if (!etag.matches("[0-9a-f]+")) {
      return Optional.empty(); // a mirror's own tag says nothing of the content
    }
    if (etag.length() == SHA256_DIGITS) {
      return different("SHA-256", copy);
    }
    return etag.length() == SHA1_DIGITS ? different("SHA-1", copy) : Optional.empty();
  }

  private Optional<String> different(String algorithm, Path copy) throws IOException {
    MessageDigest digest = digest(algorithm);
    if (etag.length() == SHA1_DIGITS) {
      digest.update(("blob " + size + "\0").getBytes(UTF_8));
    }
    byte[] buffer = new byte[BUFFER];
    try (InputStream in = Files.newInputStream(copy)) {
      for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
        digest.update(buffer, 0, read);
      }
    }
    String found = HexFormat.of().formatHex(digest.digest());
    return found.equals(etag)
        ? Optional.empty()
        : Optional.of("its %s is %s, not %s".formatted(algorithm, found, etag));
  }

  private static MessageDigest digest(String algorithm) {
    try {
      return MessageDigest.getInstance(algorithm);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e); // every Java platform has both
    }
  }
}
