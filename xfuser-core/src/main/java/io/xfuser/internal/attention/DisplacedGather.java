package io.xfuser.internal.attention;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import io.xfuser.internal.attention.DisplacedAttention.Schedule;
import io.xfuser.internal.parallel.Communicator;
import io.xfuser.internal.parallel.Pending;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.SharedTensor;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What all patches have of one thing, one patch a rank: of this rank's own the present, of the
 * others what they had in the step before. In synchronous steps all of it is awaited at once.
 */
final class DisplacedGather {
  private final Communicator ranks;
  private final Schedule schedule;
  private int step; // of the next call
  private @Nullable Pending before; // of all ranks, of the step before
  private long keptBytes;

  /** Nothing yet; {@code ranks} have the patches, in their order. */
  DisplacedGather(Communicator ranks, Schedule schedule) {
    this.ranks = ranks;
    this.schedule = schedule;
  }

  /** That of all patches in this step, of which this rank has {@code own}. */
  NDList next(NDManager scope, NDArray own) {
    int now = step++;
    NDList all = schedule.fresh(now) ? fresh(scope, own, now) : displaced(scope, own, now);
    if (schedule.read(now)) {
      keptBytes = all.stream().mapToLong(ElementType::bytesOf).sum();
    }
    return all;
  }

  private NDList fresh(NDManager scope, NDArray own, int now) {
    NDList all = ranks.startAllGather(own).await(scope);
    if (schedule.read(now)) {
      List<SharedTensor> kept = all.stream().map(SharedTensor::of).toList();
      before = later -> new NDList(kept.stream().map(x -> x.receive(later)).toList());
    }
    return all;
  }

  private NDList displaced(NDManager scope, NDArray own, int now) {
    Pending arriving = before;
    if (arriving == null) {
      throw new IllegalStateException(
          "attended " + (now + 1) + " times in " + schedule.steps() + " steps");
    }
    before = schedule.read(now) ? ranks.startAllGather(own) : null;
    NDList all = arriving.await(scope);
    all.set(ranks.rank(), own);
    return all;
  }

  /** Bytes on their way or here, between two steps. */
  long keptBytes() {
    return keptBytes;
  }
}
