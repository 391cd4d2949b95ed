package io.xfuser.cli.launch;

import java.time.Duration;

/**
 * How long ranks are waited for.
 *
 * @param afterFailure for the others to end by themselves after one failed, before SIGTERM
 * @param afterTermination from SIGTERM to SIGKILL
 */
record GracePeriods(Duration afterFailure, Duration afterTermination) {
  static final GracePeriods USUAL = new GracePeriods(Duration.ofSeconds(5), Duration.ofSeconds(1));
}
