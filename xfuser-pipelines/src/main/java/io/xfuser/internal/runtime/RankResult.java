package io.xfuser.internal.runtime;

import io.xfuser.report.RunReport;
import io.xfuser.trace.RunTrace;
import org.jspecify.annotations.Nullable;

/**
 * What one rank brings back.
 *
 * @param pictures those that it decoded
 * @param report what all ranks did, in figures; the same on every rank
 * @param trace the same in detail, null unless it was asked for
 */
public record RankResult(RankPictures pictures, RunReport report, @Nullable RunTrace trace) {}
