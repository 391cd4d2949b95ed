package io.xfuser.models.internal.text;

import io.xfuser.failure.ModelException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/**
 * A message in the wire format of protocol buffers, read field by field. Malformed messages give
 * ModelException.
 */
final class ProtocolBuffer {
  private static final int VARINT = 0;
  private static final int FIXED_64 = 1;
  private static final int LENGTH_DELIMITED = 2;
  private static final int FIXED_32 = 5;

  private final List<Field> fields = new ArrayList<>();

  private record Field(int number, int type, ByteBuffer value) {}

  /** Reads {@code message}, little-endian, to its end. */
  ProtocolBuffer(ByteBuffer message) {
    while (message.hasRemaining()) {
      long tag = varint(message);
      int type = (int) (tag & 7);
      int start = message.position();
      long length =
          switch (type) {
            case VARINT -> {
              varint(message);
              long size = (long) message.position() - start;
              message.position(start);
              yield size;
            }
            case FIXED_64 -> 8;
            case LENGTH_DELIMITED -> varint(message);
            case FIXED_32 -> 4;
            default -> throw malformed(message);
          };
      if (length < 0 || length > message.remaining()) {
        throw malformed(message);
      }
      ByteBuffer value =
          message.slice(message.position(), (int) length).order(ByteOrder.LITTLE_ENDIAN);
      fields.add(new Field((int) (tag >>> 3), type, value));
      message.position(message.position() + (int) length);
    }
  }

  List<ProtocolBuffer> messages(int number) {
    return fields.stream()
        .filter(field -> field.number() == number && field.type() == LENGTH_DELIMITED)
        .map(field -> new ProtocolBuffer(field.value().duplicate()))
        .toList();
  }

  /** The bytes in field {@code number}, none if there is no such field. */
  byte[] bytes(int number) {
    ByteBuffer value = last(number, LENGTH_DELIMITED);
    byte[] bytes = new byte[value.remaining()];
    value.get(bytes);
    return bytes;
  }

  /** The whole number in field {@code number}. */
  long number(int number, long otherwise) {
    ByteBuffer value = last(number, VARINT);
    return value.hasRemaining() ? varint(value) : otherwise;
  }

  /** The float in field {@code number}, 0 if there is no such field. */
  float fixed(int number) {
    ByteBuffer value = last(number, FIXED_32);
    return value.hasRemaining() ? value.getFloat() : 0;
  }

  /** The value of the field: of several the last, empty if there is none. */
  private ByteBuffer last(int number, int type) {
    ByteBuffer last = ByteBuffer.allocate(0);
    for (Field field : fields) {
      if (field.number() == number && field.type() == type) {
        last = field.value();
      }
    }
    return last.duplicate().order(ByteOrder.LITTLE_ENDIAN);
  }

  private static long varint(ByteBuffer message) {
    long value = 0;
    for (int shift = 0; shift < 70 && message.hasRemaining(); shift += 7) {
      byte next = message.get();
      value |= (next & 0x7fL) << shift;
      if (next >= 0) {
        return value;
      }
    }
    throw malformed(message);
  }

  private static ModelException malformed(ByteBuffer message) {
    return new ModelException("it is malformed at byte " + message.position());
  }
}
