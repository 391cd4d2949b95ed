package io.xfuser.internal.picture;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * The blocks of which picture files are made, as far as they are whole.
 *
 * @param file all bytes of one
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
record Blocks(byte[] file) {
  private static final byte[] NONE = {};
  private static final int PNG_SIGNATURE = 8;
  private static final int RIFF_HEADER = 12;
  private static final int START_OF_SCAN = 0xDA;

  /** Whether the characters of {@code text} are there, a byte each. */
  boolean starts(int at, String text) {
    byte[] wanted = text.getBytes(StandardCharsets.ISO_8859_1);
    return at + wanted.length <= file.length
        && Arrays.equals(file, at, at + wanted.length, wanted, 0, wanted.length);
  }

  /** The data of the first chunk of a PNG that is called {@code name}. */
  byte[] ofPng(String name) {
    long at = PNG_SIGNATURE;
    while (at + 12 <= file.length) {
      long length = number((int) at, 4, true);
      if (starts((int) at + 4, name)) {
        return part(at + 8, length);
      }
      at += 12 + length;
    }
    return NONE;
  }

  /** The data of the first chunk of a RIFF file that is called {@code name}. */
  byte[] ofRiff(String name) {
    long at = RIFF_HEADER;
    while (at + 8 <= file.length) {
      long length = number((int) at + 4, 4, false);
      if (starts((int) at, name)) {
        return part(at + 8, length);
      }
      at += 8 + length + (length & 1);
    }
    return NONE;
  }

  /** What follows {@code prefix} in the first segment of a JPEG that has it and the marker. */
  byte[] ofJpeg(int marker, String prefix) {
    int at = 2;
    while (at + 4 <= file.length && (file[at] & 0xFF) == 0xFF) {
      int found = file[at + 1] & 0xFF;
      if (found == 0xFF) { // filling
        at++;
        continue;
      }
      if (found == START_OF_SCAN) {
        return NONE;
      }
      int length = (int) number(at + 2, 2, true);
      if (found == marker && starts(at + 4, prefix)) {
        return part(at + 4L + prefix.length(), length - 2L - prefix.length());
      }
      at += 2 + length;
    }
    return NONE;
  }

  private byte[] part(long from, long length) {
    return length < 0 || from + length > file.length
        ? NONE
        : Arrays.copyOfRange(file, (int) from, (int) (from + length));
  }

  /** A number of so many bytes, the high ones first if {@code big}; 0 beyond the end. */
  long number(int at, int bytes, boolean big) {
    if (at < 0 || at > file.length - bytes) {
      return 0;
    }
    long number = 0;
    for (int i = 0; i < bytes; i++) {
      number = (number << 8) | (file[at + (big ? i : bytes - 1 - i)] & 0xFF);
    }
    return number;
  }
}
