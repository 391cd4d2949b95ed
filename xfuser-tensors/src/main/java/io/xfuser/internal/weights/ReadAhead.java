package io.xfuser.internal.weights;

/**
 * What a rank had read ahead of its use.
 *
 * @param bytes of tensors, each counted by the rank that asked first
 * @param waitNanos how long it waited for tensors that were not there yet
 */
public record ReadAhead(long bytes, long waitNanos) {
  /** Nothing. */
  public static final ReadAhead NONE = new ReadAhead(0, 0);

  public ReadAhead plus(ReadAhead more) {
    return new ReadAhead(bytes + more.bytes, waitNanos + more.waitNanos);
  }

  /** What came after {@code earlier}. */
  public ReadAhead since(ReadAhead earlier) {
    return new ReadAhead(bytes - earlier.bytes, waitNanos - earlier.waitNanos);
  }
}
