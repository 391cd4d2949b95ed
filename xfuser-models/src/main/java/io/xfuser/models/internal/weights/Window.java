package io.xfuser.models.internal.weights;

import org.jspecify.annotations.Nullable;

/**
 * A part of a tensor, by rows and across them.
 *
 * @param rows of dimension 0; null for all
 * @param across a cut of another dimension; null for all of it
 */
record Window(@Nullable Cut rows, @Nullable Cut across) {
  /** All of a tensor. */
  static final Window WHOLE = new Window(null, null);

  /** The part that {@code cut} leaves. */
  static Window of(Cut cut) {
    return cut.dim() == 0 ? new Window(cut, null) : new Window(null, cut);
  }

  /** The rows of a tensor that has {@code all} of them. */
  Cut rowsOf(long all) {
    return rows == null ? new Cut(0, 0, all) : rows;
  }

  /** The same part across other rows. */
  Window withRows(Cut others) {
    return new Window(others, across);
  }

  /** What is left of {@code shape}. */
  long[] shape(long[] shape) {
    long[] left = shape.clone();
    if (rows != null) {
      left[0] = rows.length();
    }
    if (across != null) {
      left[across.dim()] = across.length();
    }
    return left;
  }
}
