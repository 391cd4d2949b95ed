package io.xfuser.examples.realsize;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Safetensors files of random values, written piece by piece: they may be larger than memory. */
final class RandomShards {
  private static final JsonMapper JSON = new JsonMapper();

  /** Of {@code save_pretrained}, in bytes: a shard ends before the tensor that would pass it. */
  private static final long MOST = 10_000_000_000L;

  private static final int PIECE = 1 << 20;
  private static final int ALIGNMENT = 8;

  private RandomShards() {}

  /**
   * Writes {@code NAME.safetensors}, or shards and their index where one file would be too large.
   */
  static void write(Path folder, String name, StoredType type, List<RandomTensor> tensors)
      throws IOException {
    List<List<RandomTensor>> shards = shards(type, tensors);
    if (shards.size() == 1) {
      write(folder.resolve(name + ".safetensors"), type, tensors);
      return;
    }
    ObjectNode index = JSON.createObjectNode();
    index.putObject("metadata").put("total_size", bytes(type, tensors));
    ObjectNode map = index.putObject("weight_map");
    for (int i = 0; i < shards.size(); i++) {
      String file =
          String.format(Locale.ROOT, "%s-%05d-of-%05d.safetensors", name, i + 1, shards.size());
      shards.get(i).forEach(tensor -> map.put(tensor.name(), file));
      write(folder.resolve(file), type, shards.get(i));
    }
    JSON.writeValue(folder.resolve(name + ".safetensors.index.json").toFile(), index);
  }

  /** Writes {@code NAME.safetensors}, however large it is. */
  static void writeOne(Path name, StoredType type, List<RandomTensor> tensors) throws IOException {
    write(name.resolveSibling(name.getFileName() + ".safetensors"), type, tensors);
  }

  /** Bytes of all. */
  static long bytes(StoredType type, List<RandomTensor> tensors) {
    return type.bytes() * tensors.stream().mapToLong(RandomTensor::elements).sum();
  }

  private static List<List<RandomTensor>> shards(StoredType type, List<RandomTensor> tensors) {
    List<List<RandomTensor>> shards = new ArrayList<>();
    List<RandomTensor> shard = new ArrayList<>();
    long bytes = 0;
    for (RandomTensor tensor : tensors) {
      long more = type.bytes() * tensor.elements();
      if (!shard.isEmpty() && bytes + more > MOST) {
        shards.add(shard);
        shard = new ArrayList<>();
        bytes = 0;
      }
      shard.add(tensor);
      bytes += more;
    }
    shards.add(shard);
    return shards;
  }

  private static void write(Path file, StoredType type, List<RandomTensor> tensors)
      throws IOException {
    try (FileChannel channel =
        FileChannel.open(
            file,
            StandardOpenOption.CREATE,
            StandardOpenOption.WRITE,
            StandardOpenOption.TRUNCATE_EXISTING)) {
      fully(channel, header(type, tensors));
      ByteBuffer bytes =
          ByteBuffer.allocateDirect(PIECE * type.bytes()).order(ByteOrder.LITTLE_ENDIAN);
      for (RandomTensor tensor : tensors) {
        write(channel, bytes, type, tensor);
      }
    }
  }

  private static ByteBuffer header(StoredType type, List<RandomTensor> tensors) throws IOException {
    ObjectNode json = JSON.createObjectNode();
    json.putObject("__metadata__").put("format", "pt");
    long offset = 0;
    for (RandomTensor tensor : tensors) {
      ObjectNode entry = json.putObject(tensor.name()).put("dtype", type.name());
      entry.set("shape", JSON.valueToTree(tensor.shape()));
      long end = offset + type.bytes() * tensor.elements();
      entry.putArray("data_offsets").add(offset).add(end);
      offset = end;
    }
    StringBuilder text = new StringBuilder(JSON.writeValueAsString(json));
    text.append(" ".repeat(-text.length() & (ALIGNMENT - 1)));
    byte[] words = text.toString().getBytes(StandardCharsets.US_ASCII);
    ByteBuffer header = ByteBuffer.allocate(Long.BYTES + words.length);
    return header.order(ByteOrder.LITTLE_ENDIAN).putLong(words.length).put(words).flip();
  }

  /** The same values for the same name, by Marsaglia's xorshift (doi 10.18637/jss.v008.i14). */
  private static void write(
      FileChannel channel, ByteBuffer bytes, StoredType type, RandomTensor tensor)
      throws IOException {
    double half = tensor.deviation() * Math.sqrt(3);
    float scale = (float) (half / (1 << 23));
    float least = (float) (tensor.mean() - half);
    long state = tensor.name().hashCode() * 0x9E3779B97F4A7C15L | 1;
    for (long left = tensor.elements(); left > 0; ) {
      int count = (int) Math.min(left, PIECE);
      bytes.clear();
      for (int i = 0; i < count; i++) {
        state ^= state << 13;
        state ^= state >>> 7;
        state ^= state << 17;
        type.put(bytes, least + scale * (state >>> 40));
      }
      fully(channel, bytes.flip());
      left -= count;
    }
  }

  private static void fully(FileChannel channel, ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining()) {
      channel.write(bytes);
    }
  }
}
