package io.xfuser.models.internal.files;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Torch;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/** Writes tensors in fp32 to a GGUF file, as llama.cpp's converters lay them out. */
final class GgufWriter {
  private static final int ALIGNMENT = 32;

  private final ByteArrayOutputStream out = new ByteArrayOutputStream();

  private GgufWriter() {}

  static Path write(Path file, String architecture, Map<String, NDArray> tensors)
      throws IOException {
    GgufWriter writer = new GgufWriter();
    writer.header(architecture, tensors);
    try (NDManager manager = Torch.newManager()) {
      for (NDArray tensor : tensors.values()) {
        writer.pad();
        float[] numbers = Torch.cast(manager, tensor, ElementType.FLOAT32).toFloatArray();
        for (float number : numbers) {
          writer.int32(Float.floatToRawIntBits(number));
        }
      }
    }
    return Files.write(file, writer.out.toByteArray());
  }

  private void header(String architecture, Map<String, NDArray> tensors) throws IOException {
    out.write("GGUF".getBytes(StandardCharsets.US_ASCII));
    int32(3);
    int64(tensors.size());
    int64(1);
    string("general.architecture");
    int32(8); // a string
    string(architecture);
    long offset = 0;
    for (Map.Entry<String, NDArray> entry : tensors.entrySet()) {
      long[] shape = entry.getValue().getShape().getShape();
      string(entry.getKey());
      int32(shape.length);
      for (int i = shape.length - 1; i >= 0; i--) {
        int64(shape[i]);
      }
      int32(0); // F32
      int64(offset);
      offset += (4 * entry.getValue().size() + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    }
  }

  private void pad() {
    while (out.size() % ALIGNMENT != 0) {
      out.write(0);
    }
  }

  private void string(String text) throws IOException {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    int64(bytes.length);
    out.write(bytes);
  }

  private void int32(int number) {
    for (int i = 0; i < Integer.SIZE; i += Byte.SIZE) {
      out.write(number >>> i);
    }
  }

  private void int64(long number) {
    int32((int) number);
    int32((int) (number >>> Integer.SIZE));
  }
}
