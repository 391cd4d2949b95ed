package io.xfuser.models.internal.weights;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.torchscript.ElementType;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * A tensor in a file, whatever its format, or one made of such. What makes one of others reads of
 * them what it needs alone. Numbers are widened exactly: in fp32 they are those of the format's own
 * reader, bit for bit, in another type those rounded once.
 */
interface Stored {
  Path file();

  /** The element type as the file names it. */
  String typeName();

  /** The shape that a model sees. */
  long[] shape();

  /** Whether it can be read, and holds floating-point numbers. */
  boolean floating();

  /** Whether it can be read at all. */
  boolean readable();

  /** The type in which it arrives where none is asked for. */
  ElementType type();

  /**
   * The part {@code window}, contiguous and owned by {@code owner}, in the type and on the device
   * that {@code how} says. It may be the file itself.
   */
  NDArray read(NDManager owner, Window window, Handing how);

  /**
   * The part {@code window} of the mapped file, of any layout; empty where its elements do not lie
   * in it one by one in {@link #type}.
   */
  default Optional<NDArray> mapped(NDManager owner, Window window) {
    return Optional.empty();
  }

  List<Extent> extents();

  /** Bytes that it takes in files. */
  default long bytes() {
    return extents().stream().mapToLong(Extent::bytes).sum();
  }

  /** Consecutive bytes of a file. */
  record Extent(Path file, long offset, long bytes) {}
}
