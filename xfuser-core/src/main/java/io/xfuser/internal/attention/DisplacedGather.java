package io.xfuser.internal.attention;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import io.xfuser.internal.parallel.Communicator;
import io.xfuser.internal.parallel.Pending;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.SharedTensor;
import io.xfuser.torchscript.Torch;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What all patches have of one thing, one patch a rank: of this rank's own the present, of the
 * others what they had in the step before. In synchronous steps all of it is awaited at once.
 */
final class DisplacedGather {
  private final Communicator ranks;
  private final DisplacedSteps steps;
  private final RingMessages messages;
  private @Nullable Pending before; // of all ranks, of the last step that asked
  private long keptBytes;

  /** Nothing yet; {@code ranks} have the patches, in their order. */
  DisplacedGather(Communicator ranks, DisplacedSteps steps) {
    this(ranks, steps, RingMessages.WHOLE);
  }

  private DisplacedGather(Communicator ranks, DisplacedSteps steps, RingMessages messages) {
    this.ranks = ranks;
    this.steps = steps;
    this.messages = messages;
    steps.atEnd(this::end);
  }

  /** Another one where {@code changes} travel; those of synchronous steps tell the whole. */
  DisplacedGather telling(RingMessages changes) {
    return new DisplacedGather(ranks, steps, changes);
  }

  /** That of all patches in this step, of which this rank has {@code own}. */
  NDList next(NDManager scope, NDArray own) {
    NDList all = steps.fresh() ? fresh(scope, own) : displaced(scope, own);
    if (steps.read()) {
      keptBytes = all.stream().mapToLong(ElementType::bytesOf).sum();
    }
    return all;
  }

  private NDList fresh(NDManager scope, NDArray own) {
    NDList all = send(scope, own).await(scope);
    end();
    if (steps.read()) {
      List<SharedTensor> kept = all.stream().map(SharedTensor::of).toList();
      before = later -> new NDList(kept.stream().map(x -> x.receive(later)).toList());
    }
    return all;
  }

  private NDList displaced(NDManager scope, NDArray own) {
    Pending arriving = before;
    if (arriving == null) {
      throw new IllegalStateException("nothing was sent before " + steps);
    }
    before = steps.read() ? send(scope, own) : null;
    NDList all = arriving.await(scope);
    all.set(ranks.rank(), own);
    return all;
  }

  private Pending send(NDManager scope, NDArray own) {
    List<Pending> parts =
        messages.of(scope, own, ranks.rank()).stream().map(ranks::startAllGather).toList();
    return later -> {
      List<NDList> all = parts.stream().map(part -> part.await(later)).toList();
      NDList told = new NDList();
      for (int rank = 0; rank < ranks.size(); rank++) {
        int from = rank;
        List<NDArray> message = all.stream().map(part -> part.get(from)).toList();
        told.add(rank == ranks.rank() ? message.get(0) : messages.read(later, message, rank));
      }
      return told; // what this rank told is not needed where it is not the whole
    };
  }

  private void end() {
    Pending left = before;
    before = null;
    if (left != null) {
      try (NDManager scope = Torch.newManager()) {
        left.await(scope);
      }
    }
  }

  /** Bytes on their way or here, between two steps; of changes, what they change. */
  long keptBytes() {
    return messages.bytes() > 0 ? messages.bytes() : keptBytes;
  }
}
