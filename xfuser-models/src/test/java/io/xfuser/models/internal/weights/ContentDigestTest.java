package io.xfuser.models.internal.weights;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ContentDigestTest {
  @TempDir private Path directory = Path.of("");

  @Test
  void weightsOfAnotherTrainingDifferAndCopiesDoNot() throws Exception {
    String original = digest(file("a", "x", 1000, (byte) 3, -1));
    assertThat(digest(file("b", "x", 1000, (byte) 3, -1))).isEqualTo(original).hasSize(12);
    assertThat(digest(file("c", "x", 1000, (byte) 4, -1))).isNotEqualTo(original);
    assertThat(digest(file("d", "y", 1000, (byte) 3, -1))).isNotEqualTo(original);
    assertThat(digest(file("e", "x", 1001, (byte) 3, -1))).isNotEqualTo(original);
    assertThat(digest(file("f", "x", 1000, (byte) 3, 510))).isNotEqualTo(original);
  }

  @Test
  void filesCountWithTheirNames() throws Exception {
    Path one = Files.writeString(directory.resolve("config.json"), "{}");
    Path other = Files.writeString(directory.resolve("vocab.json"), "{}");
    assertThat(new ContentDigest().file(one).hex())
        .isEqualTo(new ContentDigest().file(one).hex())
        .isNotEqualTo(new ContentDigest().file(other).hex());
  }

  private static String digest(Path file) throws Exception {
    try (FileWeights weights = FileWeights.openFile(file, null)) {
      return new ContentDigest().weights(weights).hex();
    }
  }

  /** One tensor of bytes that are all {@code fill}, but for one if {@code odd} is its place. */
  private Path file(String fileName, String tensor, int length, byte fill, int odd)
      throws Exception {
    byte[] header =
        "{\"%s\":{\"dtype\":\"U8\",\"shape\":[%d],\"data_offsets\":[0,%d]}}"
            .formatted(tensor, length, length)
            .getBytes(StandardCharsets.UTF_8);
    ByteBuffer bytes =
        ByteBuffer.allocate(8 + header.length + length).order(ByteOrder.LITTLE_ENDIAN);
    bytes.putLong(header.length).put(header);
    for (int i = 0; i < length; i++) {
      bytes.put(i == odd ? (byte) 7 : fill);
    }
    return Files.write(directory.resolve(fileName), bytes.array());
  }
}
