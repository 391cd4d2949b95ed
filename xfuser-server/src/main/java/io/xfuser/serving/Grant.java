package io.xfuser.serving;

import java.util.List;

/**
 * Ranks for a request, or for several that are drawn together from their beginning.
 *
 * @param works whose
 * @param degree how many
 */
public record Grant(List<Work> works, int degree) {
  /** A copy is kept. */
  public Grant {
    works = List.copyOf(works);
  }

  /** Of one. */
  static Grant of(Work work, int degree) {
    return new Grant(List.of(work), degree);
  }
}
