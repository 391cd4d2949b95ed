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
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;

/** Writes tensors in plain fp8 (e4m3fn), each number as the next one below. */
final class Fp8Writer {
  private static final NavigableMap<Float, Integer> CODES = new TreeMap<>();

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

  private Fp8Writer() {}

  static Path write(Path file, Map<String, NDArray> tensors) throws IOException {
    ObjectMapper json = new ObjectMapper();
    ObjectNode header = json.createObjectNode();
    ByteArrayOutputStream data = new ByteArrayOutputStream();
    for (Map.Entry<String, NDArray> tensor : tensors.entrySet()) {
      int from = data.size();
      NDArray wide =
          Torch.cast(tensor.getValue().getManager(), tensor.getValue(), ElementType.FLOAT32);
      for (float number : wide.toFloatArray()) {
        int code = CODES.floorEntry(Math.abs(number)).getValue();
        data.write(number < 0 ? code | 0x80 : code);
      }
      ObjectNode entry = header.putObject(tensor.getKey()).put("dtype", "F8_E4M3");
      entry.set("shape", json.valueToTree(tensor.getValue().getShape().getShape()));
      entry.putArray("data_offsets").add(from).add(data.size());
    }
    byte[] head = json.writeValueAsBytes(header);
    ByteBuffer whole =
        ByteBuffer.allocate(Long.BYTES + head.length + data.size()).order(ByteOrder.LITTLE_ENDIAN);
    return Files.write(file, whole.putLong(head.length).put(head).put(data.toByteArray()).array());
  }
}
