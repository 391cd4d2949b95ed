package io.xfuser.internal.natives;

import java.util.List;
import java.util.Map;

/**
 * How the threads of libtorch's OpenMP wait for one another. Left to itself, each spins at the end
 * of every operation until the last has come, for milliseconds: where anything else runs on those
 * cores, most of them spin while one has no core to come with, and a picture takes many times
 * longer. Threads that sleep cost little on an idle machine (docs/performance.md).
 */
public final class OpenMp {
  /** Any of them is the user's own choice. */
  private static final List<String> CHOICES =
      List.of("OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME", "KMP_LIBRARY");

  private OpenMp() {}

  /**
   * Has the threads sleep while they wait, unless the environment says how they should. To be
   * called before libtorch is loaded, because OpenMP reads the environment once, when it is.
   */
  public static void sleepWhileWaiting() {
    if (!isChosen(System.getenv())) {
      ProcessEnvironment.set("OMP_WAIT_POLICY", "passive");
    }
  }

  /** Whether {@code environment} says how threads wait. */
  static boolean isChosen(Map<String, String> environment) {
    return CHOICES.stream().anyMatch(name -> !environment.getOrDefault(name, "").isBlank());
  }
}
