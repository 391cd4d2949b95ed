package io.xfuser.pipeline;

import io.xfuser.failure.MismatchException;
import io.xfuser.internal.parallel.Fingerprint;
import io.xfuser.internal.parallel.World;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Before ranks in JVMs of their own compute anything, they tell each other what they were asked
 * for, in one message each way. So a request that is not the same everywhere, or that one of them
 * refuses, ends on all of them at once, and nobody waits for a message that never comes.
 */
final class Agreement {
  private Agreement() {}

  /**
   * Returns on all ranks of {@code world}, or on none.
   *
   * @param fingerprint makes what must be the same on all ranks, or throws why this one refuses
   * @return why the request cannot be done; null if it can
   */
  static @Nullable RuntimeException refusal(World world, Supplier<Fingerprint> fingerprint) {
    world.transport().activity("comparing what the ranks were asked for");
    RuntimeException own = null;
    Fingerprint told;
    try {
      told = fingerprint.get();
    } catch (RuntimeException e) {
      own = e;
      told = Fingerprint.refusal(e.getMessage() == null ? e.toString() : e.getMessage());
    }
    try {
      world.requireEqual(told);
      return own;
    } catch (MismatchException e) {
      return own == null ? e : own;
    }
  }
}
