package io.xfuser.models.internal.weights;

import ai.djl.ndarray.NDArray;
import java.util.Map;

/**
 * A layer's weights as {@code products.py} takes them.
 *
 * @param tensors by what follows the layer's name
 * @param unseenBytes that count beside those that the tensors show
 */
record ReadLayer(Map<String, NDArray> tensors, long unseenBytes) {
  /** Nothing was read. */
  static final ReadLayer NONE = new ReadLayer(Map.of(), 0);
}
