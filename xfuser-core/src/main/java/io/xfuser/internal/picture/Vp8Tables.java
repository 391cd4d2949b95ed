package io.xfuser.internal.picture;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * What RFC 6386 has as tables, in {@code vp8.txt}.
 *
 * @param blockModes probabilities of the modes of blocks (10, 10, 9)
 * @param updates of {@code coefficients}, whether each is told (4, 8, 3, 11)
 * @param coefficients probabilities where none is told, as {@code updates}
 * @param dc steps of the first coefficient by the index of quantization
 * @param ac steps of the others
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
record Vp8Tables(int[] blockModes, int[] updates, int[] coefficients, int[] dc, int[] ac) {
  private static final String FILE = "vp8.txt";

  /** Reads them. */
  static Vp8Tables read() {
    List<int[]> tables = new ArrayList<>();
    for (String table : text().split("(?m)^#.*$", -1)) {
      if (!table.isBlank()) {
        String[] numbers = table.strip().split("\\s+", -1);
        int[] values = new int[numbers.length];
        for (int i = 0; i < values.length; i++) {
          values[i] = Integer.parseInt(numbers[i]);
        }
        tables.add(values);
      }
    }
    return new Vp8Tables(tables.get(0), tables.get(1), tables.get(2), tables.get(3), tables.get(4));
  }

  private static String text() {
    try (InputStream text = Vp8Tables.class.getResourceAsStream(FILE)) {
      if (text == null) {
        throw new IllegalStateException("no table " + FILE);
      }
      return new String(text.readAllBytes(), StandardCharsets.US_ASCII);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
