package io.xfuser.testing;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/**
 * A file broken in many ways, the same ones each time: bytes changed, most of them in its header,
 * numbers that are too large, parts cut out, doubled or left off, and words that mean something
 * elsewhere in the place of others.
 */
public final class Mutations {
  private static final List<String> WORDS =
      List.of("[]", "{}", "null", "\"", "-1", "1e9", "F64", "I4", "\0", "9223372036854775807", "]");

  private final byte[] original;
  private final int header;
  private final Random random;

  /**
   * Mutations of {@code original}.
   *
   * @param header bytes at its start that are worth most changes
   */
  public Mutations(byte[] original, int header, long seed) {
    this.original = original.clone();
    this.header = Math.min(header, original.length);
    this.random = new Random(seed);
  }

  /** The next broken file. */
  public byte[] next() {
    byte[] file = original.clone();
    for (int i = 1 + random.nextInt(2); i > 0; i--) {
      file = once(file);
    }
    return file;
  }

  private byte[] once(byte[] file) {
    if (file.length == 0) {
      return file;
    }
    int at = random.nextInt(random.nextInt(8) == 0 ? file.length : Math.min(header, file.length));
    return switch (random.nextInt(7)) {
      case 0 -> Arrays.copyOf(file, at);
      case 1 -> without(file, at, 1 + random.nextInt(16));
      case 2 -> with(file, at, Arrays.copyOfRange(file, at, at + 1 + random.nextInt(16)));
      case 3 ->
          over(file, at, WORDS.get(random.nextInt(WORDS.size())).getBytes(StandardCharsets.UTF_8));
      case 4 -> over(file, at, number());
      default -> over(file, at, new byte[] {(byte) random.nextInt(256)});
    };
  }

  /** Eight bytes that are a large number in either order. */
  private byte[] number() {
    byte[] number = new byte[8];
    Arrays.fill(number, (byte) (random.nextBoolean() ? 0xFF : 0));
    number[random.nextInt(8)] = (byte) (1 << random.nextInt(8));
    return number;
  }

  private static byte[] without(byte[] file, int at, int length) {
    int end = Math.min(file.length, at + length);
    byte[] less = Arrays.copyOf(file, file.length - (end - at));
    System.arraycopy(file, end, less, at, file.length - end);
    return less;
  }

  private static byte[] with(byte[] file, int at, byte[] more) {
    byte[] all = Arrays.copyOf(file, file.length + more.length);
    System.arraycopy(more, 0, all, at, more.length);
    System.arraycopy(file, at, all, at + more.length, file.length - at);
    return all;
  }

  private static byte[] over(byte[] file, int at, byte[] others) {
    byte[] changed = file.clone();
    System.arraycopy(others, 0, changed, at, Math.min(others.length, file.length - at));
    return changed;
  }
}
