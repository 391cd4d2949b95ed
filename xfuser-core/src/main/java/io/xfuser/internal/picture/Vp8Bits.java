package io.xfuser.internal.picture;

/**
 * Reads decisions that are coded arithmetically, each with the probability that it is 0, in 256ths.
 * Source: RFC 6386, section 7.
 */
final class Vp8Bits {
  private static final int HALF = 128;

  /** A reader looks ahead, and an encoder leaves out zeros at the end. */
  private static final int MOST_BEYOND = 16;

  private final byte[] file;
  private final int end;
  private int next;
  private long value; // its first 8 + ahead bits
  private int ahead = -8;
  private int range = 255;

  /** Those from byte {@code from} to {@code end}. */
  Vp8Bits(byte[] file, int from, int end) {
    this.file = file;
    this.next = from;
    this.end = end;
  }

  /** One decision, 0 or 1. */
  int bit(int probability) {
    if (ahead < 0) {
      fill();
    }
    int split = 1 + (((range - 1) * probability) >> 8);
    long bar = (long) split << ahead;
    int bit;
    if (value >= bar) {
      range -= split;
      value -= bar;
      bit = 1;
    } else {
      range = split;
      bit = 0;
    }
    int shift = Integer.numberOfLeadingZeros(range) - 24; // to 128 or more
    range <<= shift;
    ahead -= shift;
    return bit;
  }

  private void fill() {
    while (ahead <= 32) {
      if (next >= end + MOST_BEYOND) {
        throw new IllegalArgumentException("it ends too early");
      }
      value = (value << 8) | (next < end ? file[next] & 0xFF : 0);
      next++;
      ahead += 8;
    }
  }

  boolean flag() {
    return bit(HALF) == 1;
  }

  /** A number of so many bits, the high ones first. */
  int number(int bits) {
    int number = 0;
    for (int i = 0; i < bits; i++) {
      number = (number << 1) | bit(HALF);
    }
    return number;
  }

  /** A number of so many bits and its sign. */
  int signed(int bits) {
    int number = number(bits);
    return flag() ? -number : number;
  }

  /** The same, or {@code absent} if a flag says that there is none. */
  int optional(int bits, int absent) {
    return flag() ? signed(bits) : absent;
  }
}
