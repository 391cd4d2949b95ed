package io.xfuser.models.internal.weights;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDManager;
import io.xfuser.failure.ModelException;
import io.xfuser.internal.weights.SafeTensorsWriter;
import io.xfuser.internal.weights.WeightFiles;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Torch;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class BrokenWeightsTest {
  private static final String TWO_FLOATS =
      "{\"x\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}";

  @TempDir Path directory;

  @Test
  void aMissingDirectoryOrFileIsNamed() {
    assertRejected(directory.resolve("vae"), "vae is not a directory");
    assertRejected(directory, "has neither model.safetensors nor model.safetensors.index.json");
  }

  @Test
  void aLinkOfTheHubsCacheWithoutItsBlobIsNamed() throws IOException {
    Files.createSymbolicLink(directory.resolve("model.safetensors"), directory.resolve("blob"));
    assertRejected(directory, ", but model.safetensors (a link to nothing)");
  }

  @Test
  void pickledWeightsComeWithTheWayToConvertThem() throws IOException {
    Files.createFile(directory.resolve("pytorch_model.bin"));
    assertRejected(
        directory,
        "has only pickled weights (pytorch_model.bin), which are not read: convert them once with"
            + " model.save_pretrained(directory, safe_serialization=True) in Python");
  }

  @Test
  void otherVariantsAreListedWhereThePlainOneIsMissing() throws IOException {
    Files.createFile(directory.resolve("model.fp16.safetensors"));
    assertRejected(
        directory,
        "model.safetensors.index.json, but model.fp16.safetensors, which variant fp16 chooses");
  }

  @Test
  void anEmptyFileIsTooShort() throws IOException {
    Files.createFile(directory.resolve("model.safetensors"));
    assertRejected(directory, "model.safetensors has 0 bytes, too few for a safetensors file");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "-1 | is no safetensors file: it does not begin with the length of a header",
        "9000000000 | is no safetensors file: it does not begin with the length of a header",
        "55 | claims a header of 55 bytes, but has 62 bytes: it is truncated or no safetensors file"
      })
  void anAbsurdHeaderLengthIsNamed(long length, String wrong) throws IOException {
    write(length, TWO_FLOATS, 0);
    assertRejected(directory, "model.safetensors " + wrong);
  }

  @ParameterizedTest
  @CsvSource({
    "504b030400000808, holds pickled weights",
    "80028a0a6cfc9c46, holds pickled weights",
    "76657273696f6e20, is a pointer of Git LFS",
    "89504e470d0a1a0a, is no safetensors file",
    "6120746578742e0a, is no safetensors file"
  })
  void aFileOfAnotherKindIsSaidToBeOne(String start, String kind) throws IOException {
    Files.write(directory.resolve("model.safetensors"), HexFormat.of().parseHex(start));
    assertRejected(directory, "model.safetensors " + kind);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "not json | has a header that is not JSON (",
        "[1, 2] | has a header that is not a JSON object",
        "{\"x\":{},\"x\":{}} | has a header that is not JSON (line 1, column 12: Duplicate field"
            + " 'x')",
        "{\"x\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}"
            + " | tensor \"x\" needs the bytes [0,8] after the header, but only 4 follow",
        "{\"x\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[8,12]}}"
            + " | tensor \"x\" needs the bytes [8,12] after the header, but only 4 follow",
        "{\"x\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,0]}}"
            + " | tensor \"x\" has data_offsets [4,0]",
        "{\"x\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[-4,0]}}"
            + " | tensor \"x\" has no valid data_offsets but [-4,0]",
        "{\"x\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,1e99]}}"
            + " | tensor \"x\" has no valid data_offsets but [0,1.0E99]",
        "{\"x\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,9223372036854775807]}}"
            + " | but only 4 follow",
        "{\"x\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,4]}}"
            + " | tensor \"x\" is F32 [3] but has 4 bytes",
        "{\"x\":{\"dtype\":\"F32\",\"shape\":[4611686018427387904,2],\"data_offsets\":[0,0]}}"
            + " | tensor \"x\" is F32 [4611686018427387904,2] but has 0 bytes",
        "{\"x\":{\"dtype\":\"F32\",\"shape\":[-1],\"data_offsets\":[0,4]}}"
            + " | tensor \"x\" has no valid shape but [-1]",
        "{\"x\":{\"dtype\":\"F32\",\"data_offsets\":[0,4]}}"
            + " | tensor \"x\" has no valid shape but",
        "{\"x\":{\"dtype\":\"F4_X\",\"shape\":[1],\"data_offsets\":[0,4]}}"
            + " | tensor \"x\" has the unknown element type \"F4_X\""
      })
  void aHeaderThatDoesNotDescribeItsFileIsNamed(String header, String message) throws IOException {
    write(header.length(), header, 4);
    assertRejected(directory, message);
  }

  @Test
  void everyTruncationIsNoticedWhenOpening() throws IOException {
    Path file = write(TWO_FLOATS.length(), TWO_FLOATS, 8);
    byte[] whole = Files.readAllBytes(file);
    for (int length = 0; length < whole.length; length++) {
      Files.write(file, Arrays.copyOf(whole, length));
      assertRejected(directory, "model.safetensors");
    }
  }

  @Test
  void shardsAreFoundThroughTheIndex() throws IOException {
    writeShards("{\"x\":\"a.safetensors\",\"y\":\"b.safetensors\"}");
    try (NDManager manager = Torch.newManager();
        FileWeights weights = FileWeights.open(directory, "model", ElementType.FLOAT32)) {
      assertThat(weights.names()).containsExactly("x", "y");
      assertThat(weights.get(manager, "x", 1).toFloatArray()).containsExactly(1);
      assertThat(weights.get(manager, "y", 1).toFloatArray()).containsExactly(2);
    }
  }

  @Test
  void aMissingShardIsNamed() throws IOException {
    writeShards("{\"x\":\"c.safetensors\"}");
    assertRejected(
        directory,
        "model.safetensors.index.json says that tensor \"x\" is in \"c.safetensors\","
            + " which does not exist");
  }

  @ParameterizedTest
  @ValueSource(strings = {"../c.safetensors", "/c.safetensors", "a/../../c.safetensors"})
  void anIndexThatLeadsOutOfItsFolderIsRefused(String shard) throws IOException {
    writeShards("{\"x\":\"" + shard + "\"}");
    assertRejected(
        directory,
        "model.safetensors.index.json names the file \""
            + shard
            + "\", which is none in its folder");
  }

  @Test
  void aTensorMissingInItsShardIsNamed() throws IOException {
    writeShards("{\"x\":\"b.safetensors\"}");
    assertRejected(
        directory,
        "b.safetensors has no tensor \"x\", which model.safetensors.index.json promises");
  }

  @ParameterizedTest
  @CsvSource({"model.fp16.safetensors", "model.safetensors"})
  void aVariantIsPreferredAndMayBeAbsent(String name) throws IOException {
    write(TWO_FLOATS.length(), TWO_FLOATS, 8);
    if (!name.equals("model.safetensors")) {
      Files.move(directory.resolve("model.safetensors"), directory.resolve(name));
    }
    try (FileWeights weights = FileWeights.open(directory, "model", ElementType.FLOAT32, "fp16")) {
      assertThat(weights.names()).containsExactly("x");
    }
    assertThat(WeightFiles.hasVariant(directory, "model", "fp16")).isEqualTo(name.contains("fp16"));
  }

  @ParameterizedTest
  @CsvSource({"model.safetensors.index.fp16.json", "model.safetensors.fp16.index.json"})
  void bothNamesOfAVariantsIndexAreKnown(String name) throws IOException {
    Path index = writeShards("{\"x\":\"a.safetensors\"}");
    Files.move(index, directory.resolve(name));
    try (FileWeights weights = FileWeights.open(directory, "model", ElementType.FLOAT32, "fp16")) {
      assertThat(weights.has("x")).isTrue();
    }
  }

  @ParameterizedTest
  @CsvSource({
    "diffusion_pytorch_model, , y",
    "model, , x",
    "diffusion_pytorch_model, .fp16, y",
    "model, .fp16, x"
  })
  void ofShardsAndASingleFileTheLibrarysChoiceIsRead(
      String base, @Nullable String dotted, String expected) throws IOException {
    String variant = dotted == null ? "" : dotted;
    Path index = writeShards("{\"y\":\"b.safetensors\"}");
    Files.move(index, directory.resolve(base + ".safetensors.index" + variant + ".json"));
    Path single = directory.resolve("a.safetensors");
    Files.move(single, directory.resolve(base + variant + ".safetensors"));
    String wanted = dotted == null ? null : dotted.substring(1);
    try (FileWeights weights = FileWeights.open(directory, base, ElementType.FLOAT32, wanted)) {
      assertThat(weights.names()).containsExactly(expected);
    }
  }

  @Test
  void ofATensorInSeveralShardsTheLastCounts() throws IOException {
    writeShards("{\"x\":\"a.safetensors\",\"y\":\"b.safetensors\"}");
    try (NDManager manager = Torch.newManager()) {
      SafeTensorsWriter.write(
          directory.resolve("b.safetensors"),
          Map.of("y", manager.create(2f), "x", manager.create(3f)));
      try (FileWeights weights = FileWeights.open(directory, "model", ElementType.FLOAT32)) {
        assertThat(weights.get(manager, "x").getFloat()).isEqualTo(3);
      }
    }
  }

  private void assertRejected(Path where, String message) {
    assertThatThrownBy(() -> FileWeights.open(where, "model", ElementType.FLOAT32).close())
        .isInstanceOf(ModelException.class)
        .hasMessageStartingWith(directory.toString())
        .hasMessageContaining(message);
  }

  private Path write(long headerLength, String header, int dataBytes) throws IOException {
    byte[] text = header.getBytes(StandardCharsets.UTF_8);
    ByteBuffer file = ByteBuffer.allocate(8 + text.length + dataBytes);
    file.order(ByteOrder.LITTLE_ENDIAN).putLong(headerLength).put(text);
    return Files.write(directory.resolve("model.safetensors"), file.array());
  }

  private Path writeShards(String weightMap) throws IOException {
    try (NDManager manager = Torch.newManager()) {
      SafeTensorsWriter.write(
          directory.resolve("a.safetensors"), Map.of("x", manager.create(new float[] {1})));
      SafeTensorsWriter.write(
          directory.resolve("b.safetensors"), Map.of("y", manager.create(new float[] {2})));
    }
    return Files.writeString(
        directory.resolve("model.safetensors.index.json"),
        "{\"metadata\":{},\"weight_map\":" + weightMap + "}");
  }
}
