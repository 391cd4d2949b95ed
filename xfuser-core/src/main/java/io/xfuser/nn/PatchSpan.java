package io.xfuser.nn;

/**
 * Consecutive patches that a rank computes together: all that it has in a synchronous step, one in
 * a step of PipeFusion.
 *
 * @param from the first patch
 * @param to one past the last patch
 */
public record PatchSpan(int from, int to) {
  /** Checks that there is at least one patch. */
  public PatchSpan {
    if (from < 0 || to <= from) {
      throw new IllegalArgumentException("no span of patches from " + from + " to " + to);
    }
  }

  /** Patch {@code patch} alone. */
  public static PatchSpan of(int patch) {
    return new PatchSpan(patch, patch + 1);
  }
}
