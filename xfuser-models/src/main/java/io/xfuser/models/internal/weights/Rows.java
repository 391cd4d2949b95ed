package io.xfuser.models.internal.weights;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import java.util.Optional;

/** Some rows of a tensor. */
record Rows(Stored whole, Cut rows) implements MadeOf {
  static Stored of(Stored whole, Cut rows) {
    return rows.length() == whole.shape()[0] ? whole : new Rows(whole, rows);
  }

  @Override
  public long[] shape() {
    return new Window(rows, null).shape(whole.shape());
  }

  @Override
  public NDArray read(NDManager owner, Window window, Handing how) {
    Cut within = window.rowsOf(rows.length()).shifted(rows.from());
    return whole.read(owner, window.withRows(within), how);
  }

  @Override
  public Optional<NDArray> mapped(NDManager owner, Window window) {
    Cut within = window.rowsOf(rows.length()).shifted(rows.from());
    return whole.mapped(owner, window.withRows(within));
  }

  /** Of the whole tensor as much as this part is of it. */
  @Override
  public long bytes() {
    return whole.bytes() / whole.shape()[0] * rows.length();
  }
}
