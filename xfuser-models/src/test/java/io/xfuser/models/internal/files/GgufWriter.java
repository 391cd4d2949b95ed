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

/** Writes tensors to a GGUF file, as llama.cpp's converters lay them out. */
public final class GgufWriter {
  private static final int ALIGNMENT = 32;
  private static final int BLOCK = 32;

  private final ByteArrayOutputStream out = new ByteArrayOutputStream();

  private GgufWriter() {}

  /** In fp32. */
  static Path write(Path file, String architecture, Map<String, NDArray> tensors)
      throws IOException {
    return write(file, architecture, tensors, false);
  }

  /** Matrices whose rows are whole blocks in Q8_0, the rest in fp32. */
  public static Path quantized(Path file, String architecture, Map<String, NDArray> tensors)
      throws IOException {
    return write(file, architecture, tensors, true);
  }

  private static boolean isQ8(boolean quantized, NDArray tensor) {
    long[] shape = tensor.getShape().getShape();
    return quantized && shape.length == 2 && shape[1] % BLOCK == 0;
  }

  private static Path write(
      Path file, String architecture, Map<String, NDArray> tensors, boolean quantized)
      throws IOException {
    GgufWriter writer = new GgufWriter();
    writer.header(architecture, tensors, quantized);
    try (NDManager manager = Torch.newManager()) {
      for (NDArray tensor : tensors.values()) {
        writer.pad();
        float[] numbers = Torch.cast(manager, tensor, ElementType.FLOAT32).toFloatArray();
        if (isQ8(quantized, tensor)) {
          writer.q8(numbers);
        } else {
          for (float number : numbers) {
            writer.int32(Float.floatToRawIntBits(number));
          }
        }
      }
    }
    return Files.write(file, writer.out.toByteArray());
  }

  /** Blocks with a scale in fp16, here a power of two, which has no more than an exponent there. */
  private void q8(float[] numbers) {
    for (int from = 0; from < numbers.length; from += BLOCK) {
      float most = 0;
      for (int i = from; i < from + BLOCK; i++) {
        most = Math.max(most, Math.abs(numbers[i]));
      }
      int exponent = Math.max(-14, Math.getExponent(most / 127) + 1);
      int half = (exponent + 15) << 10;
      out.write(half);
      out.write(half >>> Byte.SIZE);
      for (int i = from; i < from + BLOCK; i++) {
        out.write(Math.round(Math.scalb(numbers[i], -exponent)));
      }
    }
  }

  private void header(String architecture, Map<String, NDArray> tensors, boolean quantized)
      throws IOException {
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
      boolean q8 = isQ8(quantized, entry.getValue());
      int32(q8 ? 8 : 0); // Q8_0 or F32
      int64(offset);
      long size = entry.getValue().size();
      long bytes = q8 ? size / BLOCK * (BLOCK + 2) : 4 * size;
      offset += (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
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
