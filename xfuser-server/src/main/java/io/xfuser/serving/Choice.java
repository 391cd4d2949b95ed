package io.xfuser.serving;

/**
 * Who gets what of a {@link ScheduledBackend}.
 *
 * @param policy chooses
 * @param ranks that may denoise at a time; one more decodes
 * @param degree ranks of each request, where the policy does not choose
 */
public record Choice(Policy policy, int ranks, int degree) {}
