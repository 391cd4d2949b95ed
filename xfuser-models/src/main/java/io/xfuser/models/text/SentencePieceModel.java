package io.xfuser.models.text;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;

/**
 * A {@code spiece.model}: the protocol buffer {@code ModelProto} of sentencepiece_model.proto, of
 * which only the names of the pieces are read here; the native library reads the rest.
 */
final class SentencePieceModel {
  private static final int LENGTH_DELIMITED = 2;
  private static final int PIECES_FIELD = 1;

  private final byte[] bytes;
  private int position;

  private SentencePieceModel(byte[] bytes) {
    this.bytes = bytes;
  }

  /** The file's content. */
  static byte[] read(Path file) {
    try {
      return Files.readAllBytes(file);
    } catch (IOException e) {
      throw new IllegalArgumentException(file + " cannot be read: " + e.getMessage(), e);
    }
  }

  /**
   * The same model without the space that SentencePiece puts before every text. Parsing a protocol
   * buffer merges what is appended to it: here {@code normalizer_spec { add_dummy_prefix: false }}.
   */
  static byte[] withoutPrefix(byte[] model) {
    byte[] longer = Arrays.copyOf(model, model.length + 4);
    System.arraycopy(new byte[] {0x1a, 2, 0x18, 0}, 0, longer, model.length, 4);
    return longer;
  }

  /** The id of every piece, which is its place in the file. */
  static Map<String, Long> pieces(byte[] model) {
    SentencePieceModel reader = new SentencePieceModel(model);
    Map<String, Long> pieces = new HashMap<>();
    long id = 0;
    while (reader.position < model.length) {
      int tag = reader.varint();
      int end = reader.skip(tag & 7);
      if (tag == (PIECES_FIELD << 3 | LENGTH_DELIMITED)) {
        pieces.put(reader.name(end), id++);
      }
      reader.position = end;
    }
    return pieces;
  }

  /** The string in field 1 of the message that starts here. */
  private String name(int end) {
    while (position < end) {
      int tag = varint();
      int next = skip(tag & 7);
      if (tag == (PIECES_FIELD << 3 | LENGTH_DELIMITED)) {
        return new String(bytes, position, next - position, StandardCharsets.UTF_8);
      }
      position = next;
    }
    return "";
  }

  /** Where the value ends that starts here; moves over the length of a length-delimited one. */
  private int skip(int wireType) {
    int length =
        switch (wireType) {
          case 0 -> {
            int start = position;
            varint();
            int size = position - start;
            position = start;
            yield size;
          }
          case 1 -> 8;
          case LENGTH_DELIMITED -> varint();
          case 5 -> 4;
          default -> throw malformed();
        };
    if (length < 0 || length > bytes.length - position) {
      throw malformed();
    }
    return position + length;
  }

  private int varint() {
    long value = 0;
    for (int shift = 0; shift < 70; shift += 7) {
      if (position >= bytes.length) {
        throw malformed();
      }
      byte next = bytes[position++];
      value |= (next & 0x7fL) << shift;
      if (next >= 0) {
        return (int) value;
      }
    }
    throw malformed();
  }

  private IllegalArgumentException malformed() {
    return new IllegalArgumentException("it is malformed at byte " + position);
  }
}
