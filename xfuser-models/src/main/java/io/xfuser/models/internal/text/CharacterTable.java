package io.xfuser.models.internal.text;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.xfuser.failure.ModelException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Deque;

/**
 * SentencePiece's compiled rules of normalization: the bytes of a double-array trie (Darts-clone's
 * units), before them their number, after them the texts that its values point into, each up to a
 * zero byte.
 */
final class CharacterTable {
  private static final int BLOCK = 0xFF; // a byte leads to one of so many neighbours
  private static final int LEAF = 1 << 8;
  private static final int WIDE = 1 << 9;
  private static final int LABEL = 1 << 31 | BLOCK;
  private static final int NONE = -1;

  private final int[] units;
  private final int[] first;
  private final int[] next;
  private final byte[] texts;
  private final Deque<Integer> ahead = new ArrayDeque<>();
  private final BitSet met = new BitSet();

  private CharacterTable(int[] units, byte[] texts) {
    this.units = units;
    this.texts = texts;
    first = new int[units.length];
    next = new int[units.length];
    listChildren();
  }

  /**
   * Walks all of the trie.
   *
   * @throws ModelException if a text could lead out of the table, which the libraries that use it
   *     do not look at
   */
  static void require(byte[] table) {
    ByteBuffer bytes = ByteBuffer.wrap(table).order(ByteOrder.LITTLE_ENDIAN);
    int size = bytes.remaining() < Integer.BYTES ? 0 : bytes.getInt();
    boolean whole = size > 0 && size % Integer.BYTES == 0 && size <= bytes.remaining();
    if (whole) {
      int[] units = new int[size / Integer.BYTES];
      bytes.asIntBuffer().get(units);
      byte[] texts = Arrays.copyOfRange(table, Integer.BYTES + size, table.length);
      whole = isUtf8(texts) && new CharacterTable(units, texts).isWhole();
    }
    if (!whole) {
      throw new ModelException("its precompiled_charsmap is damaged");
    }
  }

  private static boolean isUtf8(byte[] texts) {
    try {
      UTF_8.newDecoder().decode(ByteBuffer.wrap(texts));
      return true;
    } catch (CharacterCodingException e) {
      return false;
    }
  }

  private boolean isWhole() {
    boolean whole = reach(offset(units[0]));
    while (whole && !ahead.isEmpty()) {
      int place = ahead.remove();
      for (int child = first[place]; whole && child != NONE; child = next[child]) {
        int unit = units[child];
        int there = child ^ offset(unit);
        whole = reach(there) && ((unit & LEAF) == 0 || isText(units[there] & Integer.MAX_VALUE));
      }
    }
    return whole;
  }

  /**
   * Lists for each place which units are reached from it by the byte that they name. Most of the
   * bytes lead nowhere, so that trying all of each place takes five times as long.
   */
  private void listChildren() {
    Arrays.fill(first, NONE);
    for (int child = 0; child < units.length; child++) {
      int label = units[child] & LABEL;
      int place = child ^ label;
      if (label > 0 && place < units.length) {
        next[child] = first[place];
        first[place] = child;
      }
    }
  }

  /** False if a byte leads from {@code place} out of the units. */
  private boolean reach(int place) {
    if ((place | BLOCK) >= units.length || place < 0) {
      return false;
    }
    if (!met.get(place)) {
      met.set(place);
      ahead.add(place);
    }
    return true;
  }

  private static int offset(int unit) {
    return unit >>> 10 << ((unit & WIDE) >>> 6);
  }

  /** Whether a text begins there, and not in the middle of a character. */
  private boolean isText(int index) {
    return index == texts.length || (index < texts.length && (texts[index] & 0xC0) != 0x80);
  }
}
