package io.xfuser.internal.weights;

import io.xfuser.failure.ModelException;
import io.xfuser.internal.failure.Reason;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/**
 * A LoRA that is added to a model's weights when they are read.
 *
 * @param name for messages and files: the hub's, or the file's without its folders
 * @param file its safetensors file
 * @param digest of its content, so that the same name for another file is another LoRA
 * @param scale what of it is added; 0 is nothing
 * @param second whether it changes the second transformer of a model, and nothing else
 */
public record Lora(String name, Path file, String digest, double scale, boolean second) {
  private static final String OF_SECOND = "transformer_2=";
  private static final String CONFIG = "adapter_config.json";
  private static final int HEAD = 1 << 20;
  private static final int SAMPLE = 64;
  private static final int SAMPLES = 4096;
  private static final int SHOWN_BYTES = 6;

  /**
   * The LoRA in {@code file}. Its digest is that of its length, its first MiB, which usually has
   * all names and shapes, and 4,096 samples of the rest: training changes all of it.
   *
   * @throws ModelException if it cannot be read
   */
  public static Lora of(String name, Path file, double scale) {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      try (FileChannel channel = FileChannel.open(file)) {
        long bytes = channel.size();
        digest.update(ByteBuffer.allocate(Long.BYTES).putLong(bytes).flip());
        add(digest, channel, 0, HEAD);
        for (long i = 0; bytes > HEAD && i < SAMPLES; i++) {
          add(digest, channel, HEAD + (bytes - HEAD) / SAMPLES * i, SAMPLE);
        }
        add(digest, channel, Math.max(0, bytes - SAMPLE), SAMPLE);
      }
      Path config = file.resolveSibling(CONFIG);
      if (Files.isRegularFile(config)) { // peft's, which has scales
        digest.update(Files.readAllBytes(config));
      }
      String content = HexFormat.of().formatHex(digest.digest(), 0, SHOWN_BYTES);
      return new Lora(name, file, content, scale, false);
    } catch (IOException e) {
      throw new ModelException(file + " cannot be read: " + Reason.of(e), e);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }

  private static void add(MessageDigest digest, FileChannel channel, long from, int most)
      throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(most);
    while (bytes.hasRemaining() && channel.read(bytes, from + bytes.position()) >= 0) {
      // until the sample is full or the file ends
    }
    digest.update(bytes.flip());
  }

  /** The same with another scale. */
  public Lora scaled(double other) {
    return new Lora(name, file, digest, other, second);
  }

  /** The same for the second transformer of a model with two. */
  public Lora ofSecond() {
    return new Lora(name, file, digest, scale, true);
  }

  /** Whether component {@code name} of a model is one that it may change. */
  public boolean mayChange(String component) {
    return component.equals("transformer_2") == second;
  }

  /** As it is asked for, {@code x.safetensors:0.8}. */
  public String title() {
    return (second ? OF_SECOND : "") + (scale == 1 ? name : name + ":" + scale);
  }
}
