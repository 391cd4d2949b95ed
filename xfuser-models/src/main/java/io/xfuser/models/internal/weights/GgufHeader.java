package io.xfuser.models.internal.weights;

import io.xfuser.failure.ModelException;
import io.xfuser.internal.failure.Reason;
import io.xfuser.internal.weights.FileName;
import java.io.EOFException;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * The directory at the start of a GGUF file: settings, then name, shape, type and place of every
 * tensor. Source: {@code ggml/docs/gguf.md}, versions 2 and 3, little endian.
 *
 * @param fileBytes the size of the file
 * @param settings what is there as text or numbers, by name
 * @param entries the tensors by name, in the header's order
 */
record GgufHeader(long fileBytes, Map<String, String> settings, Map<String, TensorInfo> entries) {
  private static final int MAGIC = 0x46554747; // "GGUF"
  private static final int MOST_DIMENSIONS = 8;
  private static final String SHAPE = "comfy.gguf.orig_shape.";
  private static final String ALIGNMENT = "general.alignment";
  private static final long USUAL_ALIGNMENT = 32;

  /** Each tensor takes at least this much of the header: its name's length, type and offset. */
  private static final int LEAST_ENTRY = 24;

  /**
   * One tensor.
   *
   * @param shape as torch has it: the innermost dimension last
   * @param offset bytes from the start of the file
   * @param bytes its size; 0 for a type that is not read
   */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  record TensorInfo(GgmlType type, long[] shape, long offset, long bytes) {
    Stored in(MappedFile file) {
      return type.plain().isPresent()
          ? new PlainTensor(file, type.plain().get(), shape, offset, bytes)
          : new GgufTensor(file, type, shape, offset, bytes);
    }
  }

  /** Whether {@code file} begins as a GGUF file does. */
  static boolean begins(Path file) {
    try (FileChannel channel = FileChannel.open(file)) {
      return channel.size() >= Integer.BYTES && new GgufInput(channel).int32() == MAGIC;
    } catch (IOException e) {
      return false; // whoever reads it will say so
    }
  }

  /**
   * Reads and checks the header of {@code file}; the tensors themselves are not touched.
   *
   * @throws ModelException if the file cannot be read or its header does not describe it
   */
  static GgufHeader read(Path file) {
    try (FileChannel channel = FileChannel.open(file)) {
      return new Reader(file, new GgufInput(channel)).read();
    } catch (EOFException e) {
      throw new ModelException(file + " has a GGUF header that does not end: it is truncated");
    } catch (IOException e) {
      throw new ModelException(file + " cannot be read: " + Reason.of(e));
    }
  }

  /** Reads one header. */
  private static final class Reader {
    private final Path file;
    private final GgufInput in;
    private final Map<String, String> settings = new LinkedHashMap<>();
    private final Map<String, Declared> declared = new LinkedHashMap<>();

    Reader(Path file, GgufInput in) {
      this.file = file;
      this.in = in;
    }

    /** A tensor before it is known where the data begins. */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    private record Declared(long[] shape, GgmlType type, long offset) {}

    GgufHeader read() throws IOException {
      in.int32(); // the magic number
      int version = in.int32();
      if (version != 2 && version != 3) {
        throw new ModelException(
            file + " is GGUF of version " + version + ", only 2 and 3 (little endian) are read");
      }
      long tensors = in.int64();
      long pairs = in.int64();
      if (tensors < 0 || tensors > in.size() / LEAST_ENTRY || pairs < 0 || pairs > in.size()) {
        throw new ModelException(
            "%s claims %s tensors and %s settings, more than its %d bytes can hold"
                .formatted(
                    file, Long.toUnsignedString(tensors), Long.toUnsignedString(pairs), in.size()));
      }
      for (long i = 0; i < pairs; i++) {
        String name = TensorName.checked(file, in.string());
        settings.put(name, in.value(file, name));
      }
      for (long i = 0; i < tensors; i++) {
        declare();
      }
      return new GgufHeader(in.size(), settings, placed());
    }

    private void declare() throws IOException {
      String name = TensorName.checked(file, in.string());
      long dimensions = Integer.toUnsignedLong(in.int32());
      if (dimensions > MOST_DIMENSIONS) {
        throw new ModelException(where(name) + " has " + dimensions + " dimensions");
      }
      long[] shape = new long[(int) dimensions];
      for (int i = shape.length - 1; i >= 0; i--) {
        shape[i] = in.int64();
      }
      long id = Integer.toUnsignedLong(in.int32());
      GgmlType type =
          GgmlType.of(id)
              .orElseThrow(
                  () -> new ModelException(where(name) + " has the unknown type number " + id));
      if (declared.put(name, new Declared(shape, type, in.int64())) != null) {
        throw new ModelException(where(name) + " is there twice");
      }
    }

    private Map<String, TensorInfo> placed() {
      long alignment = alignment();
      long start = (in.position() + alignment - 1) / alignment * alignment;
      Map<String, TensorInfo> entries = new LinkedHashMap<>();
      declared.forEach((name, tensor) -> entries.put(name, info(name, tensor, start)));
      return entries;
    }

    private long alignment() {
      String text = settings.getOrDefault(ALIGNMENT, String.valueOf(USUAL_ALIGNMENT));
      try {
        long alignment = Long.parseLong(text);
        if (alignment >= 8 && alignment <= 1 << 20 && alignment % 8 == 0) {
          return alignment;
        }
      } catch (NumberFormatException e) {
        // said below
      }
      throw new ModelException(file + ": " + ALIGNMENT + " is " + FileName.shown(text));
    }

    private TensorInfo info(String name, Declared tensor, long start) {
      long[] stored = tensor.shape();
      GgmlType type = tensor.type();
      long row = stored.length == 0 ? 1 : stored[stored.length - 1];
      long numbers = count(name, stored);
      if (!type.readable()) {
        return new TensorInfo(type, stored, start, 0);
      }
      if (row % type.block() != 0) {
        throw new ModelException(
            "%s has rows of %d, which blocks of %d in %s do not fill"
                .formatted(where(name), row, type.block(), type));
      }
      long bytes = numbers / type.block() * type.blockBytes();
      if (tensor.offset() < 0
          || tensor.offset() > in.size() - start
          || bytes > in.size() - start - tensor.offset()) {
        throw new ModelException(
            "%s needs %d bytes from byte %s of the data, but only %d are there: the file is truncated"
                .formatted(
                    where(name), bytes, Long.toUnsignedString(tensor.offset()), in.size() - start));
      }
      return new TensorInfo(type, original(name, stored, numbers), start + tensor.offset(), bytes);
    }

    /** How many numbers there are; a file of this size cannot hold more than 4 bits each. */
    private long count(String name, long[] shape) {
      long numbers = 1;
      try {
        for (long extent : shape) {
          numbers = Math.multiplyExact(numbers, extent);
        }
      } catch (ArithmeticException e) {
        numbers = -1;
      }
      if (numbers < 0 || Arrays.stream(shape).anyMatch(extent -> extent < 0)) {
        throw new ModelException(where(name) + " has the shape " + Arrays.toString(shape));
      }
      return numbers;
    }

    /** What ComfyUI's converter keeps of a shape that GGUF does not have. */
    private long[] original(String name, long[] stored, long numbers) {
      Optional<String> kept = Optional.ofNullable(settings.get(SHAPE + name));
      if (kept.isEmpty()) {
        return stored;
      }
      try {
        long[] shape =
            Arrays.stream(kept.get().split(",", -1)).mapToLong(Long::parseLong).toArray();
        if (shape.length <= MOST_DIMENSIONS && count(name, shape) == numbers) {
          return shape;
        }
      } catch (NumberFormatException e) {
        // said below
      }
      throw new ModelException(
          "%s has the shape %s, but %s%s is \"%s\""
              .formatted(
                  where(name), Arrays.toString(stored), SHAPE, name, FileName.shown(kept.get())));
    }

    private String where(String name) {
      return file + ": tensor \"" + name + "\"";
    }
  }
}
