package io.xfuser.models.internal.weights;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Tells contents apart without reading all of them: of weights the names, types and shapes of all
 * tensors, and a few bytes of each. Training changes every tensor that it changes at all, so
 * weights of another training have another digest; 20 GB take as long as reading two pages of the
 * files for each tensor.
 */
public final class ContentDigest {
  private static final int SAMPLE = 64;
  private static final int SHOWN_BYTES = 6;

  private final MessageDigest digest;

  /** Of nothing yet. */
  public ContentDigest() {
    try {
      digest = MessageDigest.getInstance("SHA-256");
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }

  /**
   * With a whole file, a small one.
   *
   * @throws IOException if it cannot be read
   */
  public ContentDigest file(Path file) throws IOException {
    text(String.valueOf(file.getFileName()));
    digest.update(Files.readAllBytes(file));
    return this;
  }

  /**
   * With weights, wherever among their files each tensor lies.
   *
   * @throws IOException if a file cannot be read
   */
  ContentDigest weights(FileWeights weights) throws IOException {
    Map<Path, FileChannel> open = new TreeMap<>();
    try {
      List<String> names = new ArrayList<>(weights.names());
      Collections.sort(names);
      for (String name : names) {
        Stored tensor = weights.stored(name);
        text(name + tensor.typeName());
        for (long length : tensor.shape()) {
          digest.update(ByteBuffer.allocate(Long.BYTES).putLong(length).flip());
        }
        for (Stored.Extent extent : tensor.extents()) {
          FileChannel channel = open.get(extent.file());
          if (channel == null) {
            channel = FileChannel.open(extent.file());
            open.put(extent.file(), channel);
          }
          sample(channel, extent.offset(), extent.bytes());
          sample(
              channel, extent.offset() + extent.bytes() / 2, extent.bytes() - extent.bytes() / 2);
        }
      }
      return this;
    } finally {
      for (FileChannel channel : open.values()) {
        channel.close();
      }
    }
  }

  private void sample(FileChannel channel, long offset, long bytes) throws IOException {
    ByteBuffer sample = ByteBuffer.allocate((int) Math.min(SAMPLE, bytes));
    while (sample.hasRemaining()) {
      if (channel.read(sample, offset + sample.position()) < 0) {
        throw new IOException("a file of weights has become shorter");
      }
    }
    digest.update(sample.flip());
  }

  private void text(String text) {
    digest.update((text + "\n").getBytes(StandardCharsets.UTF_8));
  }

  public String hex() {
    return HexFormat.of().formatHex(digest.digest(), 0, SHOWN_BYTES);
  }
}
