package io.xfuser.serving;

import java.util.Locale;

/**
 * Who gets what of a {@link ScheduledBackend}.
 *
 * @param policy chooses
 * @param ranks that may denoise at a time; one more decodes
 * @param degree ranks of each request, where the policy does not choose
 */
public record Choice(Policy policy, int ranks, int degree) {
  /** What pictures are drawn with. */
  String words() {
    return "%d ranks, as many for each picture as %s gives it"
        .formatted(ranks, policy.name().toLowerCase(Locale.ROOT));
  }
}
