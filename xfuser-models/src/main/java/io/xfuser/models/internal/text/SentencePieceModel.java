package io.xfuser.models.internal.text;

import io.xfuser.failure.ModelException;
import io.xfuser.internal.failure.Reason;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * A {@code spiece.model}: what is needed here of the protocol buffer {@code ModelProto} of
 * sentencepiece_model.proto.
 *
 * @param pieces in the order of their ids
 * @param unknown the id of the unknown token
 * @param unigram whether it is a unigram model
 * @param characterMap the precompiled normalization in base64, empty if there is none
 */
record SentencePieceModel(List<Piece> pieces, long unknown, boolean unigram, String characterMap) {
  private static final long UNIGRAM = 1;
  private static final long CONTROL = 3;
  private static final long USER_DEFINED = 4;

  /** A piece, its log-probability and what it is for. */
  record Piece(String text, float score, long type) {
    /** Whether no text gives it. */
    boolean control() {
      return type == CONTROL;
    }

    /** Whether it is found in the text as it stands. */
    boolean userDefined() {
      return type == USER_DEFINED;
    }
  }

  /** The file's content. */
  static byte[] read(Path file) {
    try {
      return Files.readAllBytes(file);
    } catch (IOException e) {
      throw new ModelException(file + " cannot be read: " + Reason.of(e), e);
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

  /**
   * Reads the content of a file, of whose messages of a kind each takes the place of what those
   * before it say; throws ModelException if it is malformed.
   */
  static SentencePieceModel parse(byte[] model) {
    ProtocolBuffer file = new ProtocolBuffer(ByteBuffer.wrap(model).order(ByteOrder.LITTLE_ENDIAN));
    List<Piece> pieces = file.messages(1).stream().map(SentencePieceModel::piece).toList();
    List<ProtocolBuffer> trainer = file.messages(2);
    List<ProtocolBuffer> normalizer = file.messages(3);
    long unknown = 0;
    long type = UNIGRAM;
    for (ProtocolBuffer settings : trainer) {
      unknown = settings.number(40, unknown);
      type = settings.number(3, type);
    }
    byte[] map = new byte[0];
    for (ProtocolBuffer settings : normalizer) {
      byte[] own = settings.bytes(2);
      if (own.length > 0) {
        CharacterTable.require(own);
        map = own;
      }
    }
    String text = Base64.getEncoder().encodeToString(map);
    return new SentencePieceModel(pieces, unknown, type == UNIGRAM, text);
  }

  private static Piece piece(ProtocolBuffer message) {
    String text = new String(message.bytes(1), StandardCharsets.UTF_8);
    if (text.isEmpty() || text.indexOf('\0') >= 0) {
      throw new ModelException("a piece of it is empty or has a zero byte"); // it would end the JVM
    }
    return new Piece(text, message.fixed(2), message.number(3, 1));
  }

  /** The id of every piece. */
  Map<String, Long> ids() {
    Map<String, Long> ids = new HashMap<>();
    for (int i = 0; i < pieces.size(); i++) {
      ids.put(pieces.get(i).text(), (long) i);
    }
    return ids;
  }
}
