package io.xfuser.internal.runtime;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import io.xfuser.internal.parallel.Communicator;
import io.xfuser.internal.parallel.Pending;
import io.xfuser.nn.Strip;
import io.xfuser.torchscript.Torch;
import java.util.List;
import java.util.Optional;

/**
 * One rank's strip of a picture, the strips being in order of rank. A halo is 2·B·C·W elements sent
 * by a rank between two others.
 *
 * @param ranks those that have the strips
 */
public record RankStrip(Communicator ranks) implements Strip {
  @Override
  public int index() {
    return ranks.rank();
  }

  @Override
  public int count() {
    return ranks.size();
  }

  @Override
  public Edges halo(NDArray x) {
    long rows = x.getShape().get(2);
    Optional<Pending> above = trade(x, 0, index() - 1);
    Optional<Pending> below = trade(x, rows - 1, index() + 1);
    return owner -> new NDList(edge(owner, x, above), edge(owner, x, below));
  }

  /** Sends a row to a neighbour, if there is one, and posts the receive of its row. */
  private Optional<Pending> trade(NDArray x, long row, int neighbour) {
    if (neighbour < 0 || neighbour == count()) {
      return Optional.empty();
    }
    try (NDManager scope = Torch.newManager()) {
      NDArray edge = Torch.copy(scope, Torch.slice(scope, x, 2, row, row + 1)); // (B, C, 1, W)
      ranks.send(List.of(edge), neighbour);
    }
    return Optional.of(ranks.receive(neighbour));
  }

  private static NDArray edge(NDManager owner, NDArray x, Optional<Pending> arriving) {
    return arriving
        .map(pending -> pending.await(owner).singletonOrThrow())
        .orElseGet(() -> Strip.outside(owner, x)); // (B, C, 1, W)
  }

  @Override
  public NDArray gather(NDManager owner, NDArray x, int dim) {
    try (NDManager scope = owner.newSubManager()) {
      return ranks.allGather(owner, Torch.contiguous(scope, x), dim);
    }
  }

  @Override
  public void deliver(NDArray x) {
    try (NDManager scope = Torch.newManager()) {
      ranks.send(List.of(Torch.contiguous(scope, x)), 0);
    }
  }

  @Override
  public NDArray collect(NDManager owner, int from) {
    return ranks.receive(from).await(owner).singletonOrThrow();
  }
}
