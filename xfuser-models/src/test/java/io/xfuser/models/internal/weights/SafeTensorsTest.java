package io.xfuser.models.internal.weights;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.failure.ModelException;
import io.xfuser.internal.weights.SafeTensorsWriter;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Torch;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class SafeTensorsTest {
  @TempDir Path directory;
  private final NDManager manager = Torch.newManager();

  @BeforeEach
  void prepare() {
    Torch.prepareThread(1);
  }

  @AfterEach
  void close() {
    manager.close();
  }

  @ParameterizedTest
  @EnumSource(ElementType.class)
  void everyTypeIsReadAsItWasWritten(ElementType type) throws IOException {
    NDArray x = Torch.cast(manager, floats(1, 0, 3, 1, 5, 0).reshape(2, 3), type);
    Path file = write(Map.of("x", x));
    try (FileWeights weights = FileWeights.openFile(file, null)) {
      NDArray read = weights.get(manager, "x", 2, 3);
      assertThat(ElementType.of(read)).isEqualTo(type);
      assertThat(values(read)).isEqualTo(values(x));
    }
  }

  @ParameterizedTest
  @CsvSource({"FLOAT32,BFLOAT16", "BFLOAT16,FLOAT32", "FLOAT16,FLOAT32", "FLOAT32,FLOAT16"})
  void floatsAreCastToTheRunsTypeAndIntegersAreRefused(ElementType file, ElementType run)
      throws IOException {
    Map<String, NDArray> tensors = new LinkedHashMap<>();
    tensors.put("x", Torch.cast(manager, floats(1, 2.5f), file));
    tensors.put("ids", manager.create(new long[] {7}));
    write(tensors);
    try (FileWeights weights = FileWeights.open(directory, "model", run)) {
      NDArray x = weights.get(manager, "x", 2);
      assertThat(ElementType.of(x)).isEqualTo(run);
      assertThat(values(x)).containsExactly(1, 2.5f);
      assertThatThrownBy(() -> weights.get(manager, "ids", 1))
          .isInstanceOf(ModelException.class)
          .hasMessageEndingWith(
              "model.safetensors: tensor \"ids\" is I64, but the model needs floating-point"
                  + " numbers");
    }
  }

  @Test
  void equalTypesAreTheFileItselfNotACopy() throws IOException {
    Path file = write(Map.of("x", floats(1, 2)));
    try (FileWeights weights = FileWeights.open(directory, "model", ElementType.FLOAT32)) {
      NDArray before = weights.get(manager, "x", 2);
      NDArray again = weights.get(manager, "x", 2);
      try (RandomAccessFile out = new RandomAccessFile(file.toFile(), "rw")) {
        out.seek(out.length() - 4);
        out.write(new byte[] {0, 0, (byte) 0x80, 0x40}); // 4.0, little endian
      }
      assertThat(values(before)).containsExactly(1, 4);
      assertThat(values(again)).containsExactly(1, 4);
    }
  }

  @Test
  void tensorsOutliveTheirFile() throws IOException {
    write(Map.of("x", floats(3, 4)));
    FileWeights weights = FileWeights.open(directory, "model", ElementType.FLOAT32);
    NDArray x = weights.get(manager, "x", 2);
    weights.close();
    assertThat(values(x)).containsExactly(3, 4);
    assertThatThrownBy(() -> weights.get(manager, "x", 2)).hasMessageContaining("was closed");
  }

  @Test
  @EnabledOnOs(OS.LINUX)
  void theFileIsMappedOnceAndOnlyAsLongAsItIsNeeded() throws IOException {
    write(Map.of("x", floats(3, 4), "more", floats(7)));
    FileWeights weights = FileWeights.open(directory, "model", ElementType.FLOAT32);
    assertThat(mappings()).isZero();
    NDManager owner = manager.newSubManager();
    weights.get(owner, "x", 2);
    weights.get(owner, "more", 1);
    assertThat(mappings()).isEqualTo(1);
    weights.close();
    assertThat(mappings()).isEqualTo(1);
    owner.close();
    assertThat(mappings()).isZero();
  }

  private long mappings() throws IOException {
    try (Stream<String> lines = Files.lines(Path.of("/proc/self/maps"))) {
      return lines.filter(line -> line.contains(directory.toString())).count();
    }
  }

  @ParameterizedTest
  @CsvSource({"0", "1", "2", "3"})
  void anUnalignedTensorIsReadToo(int shift) throws IOException {
    String header =
        "{\"a\":{\"dtype\":\"U8\",\"shape\":[%d],\"data_offsets\":[0,%d]},"
            + "\"x\":{\"dtype\":\"F32\",\"shape\":[2,1],\"data_offsets\":[%d,%d]}}";
    ByteBuffer data = ByteBuffer.allocate(shift + 8).order(ByteOrder.LITTLE_ENDIAN);
    data.position(shift).putFloat(1.5f).putFloat(-2);
    writeRaw(header.formatted(shift, shift, shift, shift + 8), data.array());
    try (FileWeights weights = FileWeights.open(directory, "model", ElementType.FLOAT32)) {
      assertThat(values(weights.get(manager, "x", 2, 1))).containsExactly(1.5f, -2);
    }
  }

  @Test
  void aTensorBeyondFourGibibytesIsReached() throws IOException {
    long elements = 5L << 29; // 5 GiB of bf16, a hole in the file
    String header =
        "{\"hole\":{\"dtype\":\"BF16\",\"shape\":[%d],\"data_offsets\":[0,%d]},"
            + "\"x\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[%d,%d]}}";
    Path file =
        writeRaw(
            header.formatted(elements, 2 * elements, 2 * elements, 2 * elements + 4), new byte[0]);
    try (RandomAccessFile out = new RandomAccessFile(file.toFile(), "rw")) {
      out.setLength(out.length() + 2 * elements + 4);
      out.seek(out.length() - 4);
      out.write(new byte[] {0, 0, (byte) 0x80, 0x40});
    }
    try (FileWeights weights = FileWeights.open(directory, "model", ElementType.FLOAT32)) {
      assertThat(values(weights.get(manager, "x"))).containsExactly(4);
    }
  }

  @Test
  void prefixesAddUp() throws IOException {
    write(Map.of("blocks.0.attn.weight", floats(9)));
    try (FileWeights weights = FileWeights.open(directory, "model", ElementType.FLOAT32)) {
      Weights block = weights.at("blocks.0.").at("attn.");
      assertThat(block.has("weight")).isTrue();
      assertThat(block.has("bias")).isFalse();
      assertThat(values(block.get(manager, "weight", 1))).containsExactly(9);
      assertThatThrownBy(() -> block.get(manager, "bias", 1))
          .isInstanceOf(ModelException.class)
          .hasMessage(
              directory.resolve("model.safetensors") + " has no tensor \"blocks.0.attn.bias\"");
    }
  }

  @Test
  void aWrongShapeIsNamedWithBothShapes() throws IOException {
    write(Map.of("x", floats(1, 2, 3, 4).reshape(2, 2)));
    try (FileWeights weights = FileWeights.open(directory, "model", ElementType.FLOAT32)) {
      assertThatThrownBy(() -> weights.get(manager, "x", 4))
          .isInstanceOf(ModelException.class)
          .hasMessageEndingWith(
              "model.safetensors: tensor \"x\" has the shape [2, 2], but the model needs [4]");
    }
  }

  @Test
  void tensorsThatTheModelDoesNotKnowAreNamed() throws IOException {
    Map<String, NDArray> tensors = new LinkedHashMap<>();
    for (String name : List.of("a", "b1", "b2", "b3", "b4", "b5", "b6", "b7")) {
      tensors.put(name, floats(1));
    }
    write(tensors);
    try (FileWeights weights = FileWeights.open(directory, "model", ElementType.FLOAT32)) {
      assertThat(weights.warning(name -> true)).isEmpty();
      assertThat(weights.warning("a"::equals).orElseThrow())
          .endsWith(
              "has 7 tensors that the model does not use:"
                  + " \"b1\", \"b2\", \"b3\", \"b4\", \"b5\" and 2 more");
      assertThat(weights.renamed(name -> name).warning("a"::equals)).isEmpty(); // of a file once
    }
    try (FileWeights weights = FileWeights.open(directory, "model", ElementType.FLOAT32)) {
      assertThat(weights.warning(name -> !name.equals("b7")).orElseThrow())
          .endsWith("has 1 tensor that the model does not use: \"b7\"");
    }
  }

  @Test
  void eightThreadsReadTheSameValues() throws Exception {
    write(Map.of("x", floats(1, 2, 3)));
    ExecutorService threads = Executors.newFixedThreadPool(8);
    try (FileWeights weights = FileWeights.open(directory, "model", ElementType.BFLOAT16)) {
      List<Future<float[]>> results = new ArrayList<>();
      for (int i = 0; i < 400; i++) {
        results.add(threads.submit(() -> readOnItsOwn(weights)));
      }
      for (Future<float[]> result : results) {
        assertThat(result.get()).containsExactly(1, 2, 3);
      }
    } finally {
      threads.shutdownNow();
    }
  }

  private static float[] readOnItsOwn(FileWeights weights) {
    try (NDManager own = Torch.newManager()) {
      return Torch.cast(own, weights.get(own, "x", 3), ElementType.FLOAT32).toFloatArray();
    }
  }

  private NDArray floats(float... values) {
    return manager.create(values);
  }

  private float[] values(NDArray x) {
    return Torch.cast(manager, x, ElementType.FLOAT32).toFloatArray();
  }

  private Path write(Map<String, NDArray> tensors) throws IOException {
    Path file = directory.resolve("model.safetensors");
    SafeTensorsWriter.write(file, tensors);
    return file;
  }

  private Path writeRaw(String header, byte[] data) throws IOException {
    byte[] text = header.getBytes(StandardCharsets.UTF_8);
    ByteBuffer file =
        ByteBuffer.allocate(8 + text.length + data.length).order(ByteOrder.LITTLE_ENDIAN);
    file.putLong(text.length).put(text).put(data);
    return Files.write(directory.resolve("model.safetensors"), file.array());
  }
}
