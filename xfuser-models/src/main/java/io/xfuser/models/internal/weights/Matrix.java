package io.xfuser.models.internal.weights;

import java.util.ArrayList;
import java.util.List;

/**
 * The weights of some layers, one below the other, or a part of each.
 *
 * @param layers of one input
 * @param own the parts of each, of which there is at least one: rows (dimension 0) or columns (1)
 * @param out rows of each layer
 * @param in columns of each layer
 * @param tokens whether tokens come in whole, so that each may be quantized by its largest value
 */
record Matrix(Joined layers, List<Cut> own, long out, long in, boolean tokens) {
  /** The rows of which there are parts, so many at a time that they are {@code elements}. */
  List<Cut> blocks(long elements) {
    List<Cut> parts = ofColumns() ? List.of(new Cut(0, 0, out)) : own;
    long most = Math.max(1, elements / Math.max(1, in));
    List<Cut> blocks = new ArrayList<>();
    for (Cut rows : parts) {
      for (long from = rows.from(); from < rows.to(); from += most) {
        blocks.add(new Cut(0, from, Math.min(rows.to(), from + most)));
      }
    }
    return blocks.isEmpty() ? List.of(parts.get(0)) : blocks;
  }

  /** The columns of which there is a part. */
  Cut columns() {
    return ofColumns() ? own.get(0) : new Cut(1, 0, in);
  }

  /** How many parts there are of all layers. */
  int parts() {
    return layers.layers().size() * own.size();
  }

  /** Whether there are columns that are not there. */
  boolean isOfSomeColumns() {
    return ofColumns() && own.get(0).length() < in;
  }

  private boolean ofColumns() {
    return own.get(0).dim() == 1;
  }
}
