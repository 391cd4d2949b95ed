package io.xfuser.models.contract;

import ai.djl.ndarray.NDArray;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Torch;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;

/** Writes tensors in fp8 (e4m3fn), each number as the next one below. */
final class Fp8Writer {
  private static final NavigableMap<Float, Integer> CODES = new TreeMap<>();
  private static final float LARGEST = 448;

  static {
    for (int code = 0; code < 127; code++) { // 127 is NaN
      int exponent = code >>> 3;
      int fraction = code & 7;
      float value =
          exponent == 0
              ? Math.scalb((float) fraction, -9)
              : Math.scalb((float) (8 + fraction), exponent - 10);
      CODES.put(value, code);
    }
  }

  /** How files of ComfyUI say by what the numbers of a matrix are multiplied. */
  enum Form {
    /** By nothing. */
    PLAIN,
    /** {@code x.scale_weight} and the mark {@code scaled_fp8}. */
    SCALED,
    /** {@code x.weight_scale} and JSON in {@code x.comfy_quant}. */
    MARKED
  }

  private final ObjectMapper json = new ObjectMapper();
  private final ObjectNode header = json.createObjectNode();
  private final ByteArrayOutputStream data = new ByteArrayOutputStream();
  private final Map<String, float[]> numbers = new LinkedHashMap<>();

  private Fp8Writer() {}

  static Path write(Path file, Map<String, NDArray> tensors) throws IOException {
    Fp8Writer writer = new Fp8Writer();
    for (Map.Entry<String, NDArray> tensor : tensors.entrySet()) {
      writer.fp8(tensor.getKey(), tensor.getValue(), 1);
    }
    return writer.finish(file);
  }

  /**
   * Writes matrices in fp8, each with a scale of its own where {@code form} has such, and the rest
   * in fp32.
   *
   * @return the numbers that are meant, by names of tensors
   */
  static Map<String, float[]> write(Path file, Map<String, NDArray> tensors, Form form)
      throws IOException {
    Fp8Writer writer = new Fp8Writer();
    for (Map.Entry<String, NDArray> tensor : tensors.entrySet()) {
      writer.add(tensor.getKey(), tensor.getValue(), form);
    }
    if (form == Form.SCALED) {
      writer.entry("scaled_fp8", "F8_E4M3", new long[] {2}, new byte[2]);
    }
    writer.finish(file);
    return writer.numbers;
  }

  private void add(String name, NDArray tensor, Form form) throws IOException {
    if (tensor.getShape().dimension() != 2 || !name.endsWith(".weight")) {
      float[] values = wide(tensor).toFloatArray();
      entry(name, "F32", tensor.getShape().getShape(), bytes(values));
      numbers.put(name, values);
      return;
    }
    if (form == Form.PLAIN) {
      fp8(name, tensor, 1);
      return;
    }
    float most = 0;
    for (float value : wide(tensor).toFloatArray()) {
      most = Math.max(most, Math.abs(value));
    }
    float scale = most / LARGEST;
    fp8(name, tensor, scale);
    String layer = name.substring(0, name.length() - ".weight".length());
    boolean marked = form == Form.MARKED;
    entry(layer + (marked ? ".weight_scale" : ".scale_weight"), "F32", new long[0], bytes(scale));
    if (marked) {
      byte[] said = "{\"format\": \"float8_e4m3fn\"}".getBytes(StandardCharsets.UTF_8);
      entry(layer + ".comfy_quant", "U8", new long[] {said.length}, said);
    }
  }

  private void fp8(String name, NDArray tensor, float scale) throws IOException {
    float[] values = wide(tensor).toFloatArray();
    byte[] codes = new byte[values.length];
    for (int i = 0; i < values.length; i++) {
      Map.Entry<Float, Integer> below = CODES.floorEntry(Math.abs(values[i]) / scale);
      boolean negative = values[i] < 0;
      codes[i] = (byte) (negative ? below.getValue() | 0x80 : below.getValue());
      values[i] = (negative ? -below.getKey() : below.getKey()) * scale;
    }
    entry(name, "F8_E4M3", tensor.getShape().getShape(), codes);
    numbers.put(name, values);
  }

  private static NDArray wide(NDArray tensor) {
    return Torch.cast(tensor.getManager(), tensor, ElementType.FLOAT32);
  }

  private static byte[] bytes(float... values) {
    ByteBuffer bytes =
        ByteBuffer.allocate(Float.BYTES * values.length).order(ByteOrder.LITTLE_ENDIAN);
    for (float value : values) {
      bytes.putFloat(value);
    }
    return bytes.array();
  }

  private void entry(String name, String type, long[] shape, byte[] bytes) throws IOException {
    ObjectNode entry = header.putObject(name).put("dtype", type);
    entry.set("shape", json.valueToTree(shape));
    entry.putArray("data_offsets").add(data.size()).add(data.size() + bytes.length);
    data.write(bytes);
  }

  private Path finish(Path file) throws IOException {
    byte[] head = json.writeValueAsBytes(header);
    ByteBuffer whole =
        ByteBuffer.allocate(Long.BYTES + head.length + data.size()).order(ByteOrder.LITTLE_ENDIAN);
    return Files.write(file, whole.putLong(head.length).put(head).put(data.toByteArray()).array());
  }
}
