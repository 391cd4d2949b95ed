package io.xfuser.models.internal.weights;

import io.xfuser.failure.ModelException;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.StringJoiner;

/** Numbers, strings and lists of a GGUF header, one after the other. */
final class GgufInput {
  private static final int BUFFER = 1 << 16;

  /** Longer strings are templates and vocabularies, which nothing here reads. */
  private static final int LONGEST_STRING = 1 << 12;

  /** Longer lists are vocabularies. */
  private static final int LONGEST_LIST = 16;

  private static final int STRING = 8;
  private static final int LIST = 9;

  /** Bytes of a value, by the number of its type; 0 for strings and lists. */
  private static final int[] BYTES = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};

  private final FileChannel channel;
  private final long size;
  private final ByteBuffer buffer =
      ByteBuffer.allocate(BUFFER).order(ByteOrder.LITTLE_ENDIAN).flip();
  private long read; // bytes of the file that were put into the buffer

  GgufInput(FileChannel channel) throws IOException {
    this.channel = channel;
    this.size = channel.size();
  }

  /** Bytes of the file. */
  long size() {
    return size;
  }

  /** Bytes before what is read next. */
  long position() {
    return read - buffer.remaining();
  }

  int int32() throws IOException {
    return filled(Integer.BYTES).getInt();
  }

  long int64() throws IOException {
    return filled(Long.BYTES).getLong();
  }

  /** A string, cut where it is longer than any name. */
  String string() throws IOException {
    long length = int64();
    if (length < 0 || length > size - position()) {
      throw new EOFException();
    }
    byte[] text = new byte[(int) Math.min(length, LONGEST_STRING)];
    filled(text.length).get(text);
    skip(length - text.length);
    return new String(text, StandardCharsets.UTF_8);
  }

  /** A value of any type as text; the numbers of a short list with commas between them. */
  String value(Path file, String name) throws IOException {
    int type = int32();
    if (type != LIST) {
      return scalar(file, name, type);
    }
    int each = int32();
    long count = int64();
    if (each == LIST || count < 0 || count > size - position()) {
      throw new ModelException(
          "%s: %s is a list of %s values of the type %d"
              .formatted(file, name, Long.toUnsignedString(count), each));
    }
    if (count > LONGEST_LIST && each != STRING) {
      skip(Math.multiplyExact(count, bytes(file, name, each)));
      return count + " values";
    }
    StringJoiner values = new StringJoiner(",");
    for (long i = 0; i < count; i++) {
      String value = scalar(file, name, each);
      if (i < LONGEST_LIST) {
        values.add(value);
      }
    }
    return count > LONGEST_LIST ? count + " values" : values.toString();
  }

  private String scalar(Path file, String name, int type) throws IOException {
    if (type == STRING) {
      return string();
    }
    ByteBuffer value = filled(bytes(file, name, type));
    return switch (type) {
      case 0 -> String.valueOf(Byte.toUnsignedInt(value.get()));
      case 1 -> String.valueOf(value.get());
      case 2 -> String.valueOf(Short.toUnsignedInt(value.getShort()));
      case 3 -> String.valueOf(value.getShort());
      case 4 -> String.valueOf(Integer.toUnsignedLong(value.getInt()));
      case 5 -> String.valueOf(value.getInt());
      case 6 -> String.valueOf(value.getFloat());
      case 7 -> String.valueOf(value.get() != 0);
      case 10 -> Long.toUnsignedString(value.getLong());
      case 11 -> String.valueOf(value.getLong());
      default -> String.valueOf(value.getDouble());
    };
  }

  private static int bytes(Path file, String name, int type) {
    if (type < 0 || type >= BYTES.length || BYTES[type] == 0) {
      throw new ModelException(file + ": " + name + " has the unknown type number " + type);
    }
    return BYTES[type];
  }

  private ByteBuffer filled(int bytes) throws IOException {
    if (buffer.remaining() < bytes) {
      buffer.compact();
      while (buffer.position() < bytes) {
        int more = channel.read(buffer, read);
        if (more < 0) {
          throw new EOFException();
        }
        read += more;
      }
      buffer.flip();
    }
    return buffer;
  }

  private void skip(long bytes) throws IOException {
    if (bytes > size - position()) {
      throw new EOFException();
    }
    if (bytes <= buffer.remaining()) {
      buffer.position(buffer.position() + (int) bytes);
    } else {
      read = position() + bytes;
      buffer.limit(buffer.position());
    }
  }
}
