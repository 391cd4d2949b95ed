package io.xfuser.models.internal.weights;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.internal.weights.SafeTensorsWriter;
import io.xfuser.torchscript.Torch;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SafeTensorsWriterTest {
  @TempDir Path directory;

  @Test
  void dataStartsAtAMultipleOfEight() throws IOException {
    for (String name : new String[] {"x", "xx", "xxx", "xxxx", "ü"}) {
      Path file = directory.resolve("file.safetensors");
      try (NDManager manager = Torch.newManager()) {
        SafeTensorsWriter.write(file, Map.of(name, manager.create(new float[] {1, 2})));
      }
      byte[] bytes = Files.readAllBytes(file);
      long length = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getLong();
      assertThat(length % 8).isZero();
      assertThat(bytes).hasSize((int) (8 + length + 8));
    }
  }

  @Test
  void aTransposedViewIsWrittenInTheOrderOfItsShape() throws IOException {
    Path file = directory.resolve("file.safetensors");
    try (NDManager manager = Torch.newManager()) {
      NDArray x = manager.create(new float[] {1, 2, 3, 4, 5, 6}).reshape(2, 3).transpose();
      SafeTensorsWriter.write(file, Map.of("x", x));
      try (FileWeights weights = FileWeights.openFile(file, null)) {
        assertThat(weights.get(manager, "x", 3, 2).toFloatArray())
            .containsExactly(1, 4, 2, 5, 3, 6);
      }
    }
  }

  @Test
  void anEmptyTensorAndAScalarAreWritten() throws IOException {
    Path file = directory.resolve("file.safetensors");
    try (NDManager manager = Torch.newManager()) {
      NDArray empty = Torch.empty(manager, io.xfuser.torchscript.ElementType.FLOAT32, 0, 3);
      SafeTensorsWriter.write(file, Map.of("none", empty, "one", manager.create(5f)));
      try (FileWeights weights = FileWeights.openFile(file, null)) {
        assertThat(weights.get(manager, "none", 0, 3).size()).isZero();
        assertThat(weights.get(manager, "one").toFloatArray()).containsExactly(5);
      }
    }
  }

  @Test
  void nothingIsLeftBehindByAFailure() throws IOException {
    Path occupied = directory.resolve("occupied.safetensors");
    Files.createDirectories(occupied.resolve("child"));
    try (NDManager manager = Torch.newManager()) {
      Map<String, NDArray> tensors = Map.of("x", manager.create(new float[] {1}));
      assertThatThrownBy(() -> SafeTensorsWriter.write(occupied, tensors))
          .isInstanceOf(IOException.class);
    }
    try (Stream<Path> files = Files.list(directory)) {
      assertThat(files).containsExactly(occupied);
    }
  }
}
