package io.xfuser.internal.parallel.socket;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * A short message between ranks beside the tensors.
 *
 * @param kind what it says
 * @param epoch the request it is about, for CANCEL and REQUEST_FAILURE
 * @param text an activity, a reason or a failure's sentence
 */
@SuppressWarnings("EnumOrdinal") // ranks of different versions never get this far
record Signal(SignalKind kind, long epoch, String text) {
  /** Text is cut to this length, so that every signal fits the reader's buffer. */
  static final int MAX_CHARS = 4_000;

  /** Bytes that the longest signal takes. */
  static final int MAX_BYTES = 4 * MAX_CHARS + 32;

  private static final int FIXED = 1 + Long.BYTES;

  /** What a signal says. */
  enum SignalKind {
    /** The sender lives. */
    HEARTBEAT,
    /** What the sender does from now on. */
    ACTIVITY,
    /** The request is to be given up. */
    CANCEL,
    /** A rank has failed in the request, and can take the next one. */
    REQUEST_FAILURE,
    /** A rank is lost, and with it the world. */
    FAILURE,
    /** The sender leaves in order. */
    FAREWELL,
    /** All messages up to the receiver's farewell are here. */
    FAREWELL_SEEN
  }

  /** Cuts long text. */
  Signal {
    text = text.length() > MAX_CHARS ? text.substring(0, MAX_CHARS) + "…" : text;
  }

  static Signal of(SignalKind kind) {
    return new Signal(kind, 0, "");
  }

  static Signal of(SignalKind kind, String text) {
    return new Signal(kind, 0, text);
  }

  ByteBuffer encode() {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    ByteBuffer out = ByteBuffer.allocate(Integer.BYTES + FIXED + bytes.length);
    return out.putInt(FIXED + bytes.length)
        .put((byte) kind.ordinal())
        .putLong(epoch)
        .put(bytes)
        .flip();
  }

  /** The next signal in {@code in}, or null if it is not complete yet. */
  static @Nullable Signal decode(ByteBuffer in) throws IOException {
    if (in.remaining() < Integer.BYTES) {
      return null;
    }
    int length = in.getInt(in.position());
    if (length < FIXED || length > MAX_BYTES) {
      throw new IOException("a signal of " + length + " bytes");
    }
    if (in.remaining() < Integer.BYTES + length) {
      return null;
    }
    in.getInt();
    SignalKind kind = SignalKind.values()[in.get()];
    long epoch = in.getLong();
    byte[] text = new byte[length - FIXED];
    in.get(text);
    return new Signal(kind, epoch, new String(text, StandardCharsets.UTF_8));
  }
}
