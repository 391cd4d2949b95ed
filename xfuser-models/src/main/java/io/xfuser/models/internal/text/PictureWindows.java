package io.xfuser.models.internal.text;

import io.xfuser.internal.picture.Bitmap;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/**
 * How the groups of a picture's tokens lie, window by window, and where each token is.
 *
 * @param order of the groups, which are numbered row by row
 * @param lengths of the windows, in tokens
 * @param places row and column of each token, group by group
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
record PictureWindows(long[] order, long[] lengths, long[] places) {
  static PictureWindows of(Bitmap picture, VisionConfig config) {
    int rows = picture.height() / config.side();
    int columns = picture.width() / config.side();
    List<Long> order = new ArrayList<>();
    List<Long> lengths = new ArrayList<>();
    for (int top = 0; top < rows; top += config.window()) {
      for (int left = 0; left < columns; left += config.window()) {
        int before = order.size();
        for (int row = top; row < Math.min(rows, top + config.window()); row++) {
          for (int column = left; column < Math.min(columns, left + config.window()); column++) {
            order.add((long) row * columns + column);
          }
        }
        lengths.add((long) (order.size() - before) * config.group());
      }
    }
    return new PictureWindows(array(order), array(lengths), places(rows, columns, config.merge()));
  }

  private static long[] places(int rows, int columns, int merge) {
    List<Long> places = new ArrayList<>();
    for (int group = 0; group < rows * columns; group++) {
      for (int token = 0; token < merge * merge; token++) {
        places.add((long) (group / columns * merge + token / merge));
        places.add((long) (group % columns * merge + token % merge));
      }
    }
    return array(places);
  }

  /** By which the groups come back to the order of their numbers. */
  long[] back() {
    long[] back = new long[order.length];
    IntStream.range(0, order.length).forEach(i -> back[(int) order[i]] = i);
    return back;
  }

  private static long[] array(List<Long> numbers) {
    return numbers.stream().mapToLong(Long::longValue).toArray();
  }
}
