package io.xfuser.models.internal.weights;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.xfuser.failure.ModelException;
import io.xfuser.internal.failure.Reason;
import io.xfuser.internal.weights.FileName;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The directory at the start of a safetensors file: 8 bytes of length, little endian, then JSON
 * with the type, shape and place of every tensor. Source: github.com/huggingface/safetensors,
 * "Format".
 *
 * @param fileBytes the size of the file
 * @param entries the tensors by name, in the header's order
 * @param metadata texts that the file's program wrote beside them
 */
record SafeTensorsHeader(
    long fileBytes, Map<String, TensorInfo> entries, Map<String, String> metadata) {
  /** The limit of the format's own reader; more than that is a broken length. */
  private static final long MAX_LENGTH = 100_000_000;

  private static final int PREFIX = 8;

  /** {@code "version "}, as what Git leaves in the place of a large file begins. */
  private static final long LFS = 0x206e6f6973726576L;

  /** {@code PK\3\4}, as torch's files begin since 1.6. */
  private static final int ZIP = 0x04034B50;

  /** How its older ones begin, before the protocol's number. */
  private static final int PICKLE = 0x80;

  private static final int PICKLE_PROTOCOLS = 5;
  private static final String METADATA = "__metadata__";

  private static final JsonMapper JSON =
      JsonMapper.builder()
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  /**
   * One tensor.
   *
   * @param offset bytes from the start of the file
   * @param bytes its size
   */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  record TensorInfo(StoredType type, long[] shape, long offset, long bytes) {
    Stored in(MappedFile file) {
      return new PlainTensor(file, type, shape, offset, bytes);
    }
  }

  /**
   * Reads and checks the header of {@code file}; the tensors themselves are not touched.
   *
   * @throws ModelException if the file cannot be read or its header does not describe it
   */
  static SafeTensorsHeader read(Path file) {
    try (FileChannel channel = FileChannel.open(file)) {
      long fileBytes = channel.size();
      if (fileBytes < PREFIX) {
        throw new ModelException(
            file + " has " + fileBytes + " bytes, too few for a safetensors file");
      }
      long length = readFully(channel, PREFIX).getLong();
      if (length < 0 || length > MAX_LENGTH || length > fileBytes - PREFIX) {
        throw new ModelException(file + absurd(length, fileBytes));
      }
      JsonNode json = parse(file, readFully(channel, (int) length).array());
      return new SafeTensorsHeader(
          fileBytes, entries(file, json, PREFIX + length, fileBytes), metadata(json));
    } catch (IOException e) {
      throw new ModelException(file + " cannot be read: " + reason(file, e));
    }
  }

  /** What a file is whose first bytes are no length of a header. */
  private static String absurd(long first, long fileBytes) {
    boolean zip = (int) first == ZIP;
    boolean pickle = (first & 0xFF) == PICKLE && (first >> 8 & 0xFF) <= PICKLE_PROTOCOLS;
    if (zip || pickle) {
      return " holds pickled weights, which are not read: convert them once in Python with"
          + " safetensors.torch.save_file(torch.load(FILE, weights_only=True), NEW_FILE)";
    }
    if (first == LFS) {
      return " is a pointer of Git LFS: what it stands for was not downloaded (git lfs pull)";
    }
    return first < 0 || first > MAX_LENGTH
        ? " is no safetensors file: it does not begin with the length of a header"
        : " claims a header of %d bytes, but has %d bytes: it is truncated or no safetensors file"
            .formatted(first, fileBytes);
  }

  private static String reason(Path file, IOException e) {
    return Files.exists(file) ? Reason.of(e) : "it does not exist";
  }

  private static ByteBuffer readFully(FileChannel channel, int bytes) throws IOException {
    ByteBuffer buffer = ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
    while (buffer.hasRemaining()) {
      if (channel.read(buffer) < 0) {
        throw new EOFException("it ends too early");
      }
    }
    return buffer.flip();
  }

  private static JsonNode parse(Path file, byte[] text) throws IOException {
    JsonNode json;
    try {
      json = JSON.readTree(text);
    } catch (JsonProcessingException e) {
      throw new ModelException(file + " has a header that is not JSON (" + Reason.of(e) + ")");
    }
    if (!json.isObject()) {
      throw new ModelException(file + " has a header that is not a JSON object");
    }
    return json;
  }

  private static Map<String, String> metadata(JsonNode json) {
    Map<String, String> texts = new LinkedHashMap<>();
    json.path(METADATA)
        .properties()
        .forEach(one -> texts.put(one.getKey(), one.getValue().asText()));
    return texts;
  }

  private static Map<String, TensorInfo> entries(
      Path file, JsonNode json, long dataStart, long end) {
    Map<String, TensorInfo> entries = new LinkedHashMap<>();
    for (Map.Entry<String, JsonNode> field : json.properties()) {
      if (!field.getKey().equals(METADATA)) {
        String name = TensorName.checked(file, field.getKey());
        String where = file + ": tensor \"" + name + "\"";
        entries.put(name, entry(where, field.getValue(), dataStart, end));
      }
    }
    return entries;
  }

  private static TensorInfo entry(String where, JsonNode json, long dataStart, long fileBytes) {
    String typeName = json.path("dtype").asText();
    StoredType type =
        StoredType.named(typeName)
            .orElseThrow(
                () ->
                    new ModelException(
                        where
                            + " has the unknown element type \""
                            + FileName.shown(typeName)
                            + "\""));
    long[] shape = longs(where, json, "shape");
    long[] offsets = longs(where, json, "data_offsets");
    if (offsets.length != 2 || offsets[0] > offsets[1]) {
      throw new ModelException(where + " has data_offsets " + json.get("data_offsets"));
    }
    long bytes = offsets[1] - offsets[0];
    if (offsets[1] > fileBytes - dataStart) {
      throw new ModelException(
          "%s needs the bytes %s after the header, but only %d follow: the file is truncated"
              .formatted(where, json.get("data_offsets"), fileBytes - dataStart));
    }
    if (type.readable() && bytes != sizeOf(type, shape)) {
      throw new ModelException(
          "%s is %s %s but has %d bytes".formatted(where, typeName, json.get("shape"), bytes));
    }
    return new TensorInfo(type, shape, dataStart + offsets[0], bytes);
  }

  private static long[] longs(String where, JsonNode json, String key) {
    JsonNode list = json.path(key);
    long[] numbers = new long[list.size()];
    boolean valid = list.isArray();
    for (int i = 0; valid && i < numbers.length; i++) {
      numbers[i] = list.get(i).longValue();
      valid = list.get(i).canConvertToLong() && list.get(i).isIntegralNumber() && numbers[i] >= 0;
    }
    if (!valid) {
      throw new ModelException(where + " has no valid " + key + " but " + list);
    }
    return numbers;
  }

  /** Bytes of a tensor, or −1 where they exceed a long. */
  private static long sizeOf(StoredType type, long[] shape) {
    long size = type.bytes();
    try {
      for (long extent : shape) {
        size = Math.multiplyExact(size, extent);
      }
      return size;
    } catch (ArithmeticException e) {
      return -1;
    }
  }
}
