package io.xfuser.internal.weights;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Torch;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.UUID;

/** Writes tensors to a safetensors file, as the Python libraries read it. */
public final class SafeTensorsWriter {
  private static final JsonMapper JSON = new JsonMapper();
  private static final int ALIGNMENT = 8;

  private SafeTensorsWriter() {}

  /**
   * Writes {@code tensors}, in their order, to {@code file}, which appears only when it is
   * complete; an existing one is replaced.
   *
   * @throws IOException if it cannot be written; then nothing is left behind
   */
  public static void write(Path file, Map<String, NDArray> tensors) throws IOException {
    write(file, tensors, Map.of());
  }

  /** The same with {@code metadata}, texts by name that say something of the tensors. */
  public static void write(Path file, Map<String, NDArray> tensors, Map<String, String> metadata)
      throws IOException {
    Path unfinished = file.resolveSibling(file.getFileName() + "." + UUID.randomUUID() + ".tmp");
    try {
      try (FileChannel channel =
          FileChannel.open(unfinished, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
        writeFully(channel, header(tensors, metadata));
        for (NDArray tensor : tensors.values()) {
          writeData(channel, tensor);
        }
      }
      Files.move(
          unfinished, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } finally {
      Files.deleteIfExists(unfinished);
    }
  }

  private static ByteBuffer header(Map<String, NDArray> tensors, Map<String, String> metadata)
      throws IOException {
    ObjectNode json = JSON.createObjectNode();
    // transformers refuses a file that does not say who made its tensors
    ObjectNode about = json.putObject("__metadata__").put("format", "pt");
    metadata.forEach(about::put);
    long offset = 0;
    for (Map.Entry<String, NDArray> entry : tensors.entrySet()) {
      NDArray tensor = entry.getValue();
      long end = offset + ElementType.bytesOf(tensor);
      ObjectNode node = json.putObject(entry.getKey());
      node.put("dtype", ElementType.of(tensor).safeTensorsName());
      node.set("shape", JSON.valueToTree(tensor.getShape().getShape()));
      node.putArray("data_offsets").add(offset).add(end);
      offset = end;
    }
    String text = JSON.writeValueAsString(json);
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    int padding = -bytes.length & (ALIGNMENT - 1);
    ByteBuffer header = ByteBuffer.allocate(Long.BYTES + bytes.length + padding);
    header.order(ByteOrder.LITTLE_ENDIAN).putLong(bytes.length + padding).put(bytes);
    while (header.hasRemaining()) {
      header.put((byte) ' ');
    }
    return header.flip();
  }

  private static void writeData(FileChannel channel, NDArray tensor) throws IOException {
    try (NDManager scope = tensor.getManager().newSubManager()) {
      NDArray here = Torch.contiguous(scope, Torch.to(scope, tensor, Device.cpu()));
      for (ByteBuffer part : Torch.memoryParts(here)) {
        writeFully(channel, part);
      }
    }
  }

  private static void writeFully(FileChannel channel, ByteBuffer buffer) throws IOException {
    while (buffer.hasRemaining()) {
      channel.write(buffer);
    }
  }
}
