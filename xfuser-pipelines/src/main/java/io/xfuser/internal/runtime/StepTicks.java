package io.xfuser.internal.runtime;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.internal.parallel.Channel;
import io.xfuser.internal.parallel.Communicator;
import io.xfuser.internal.parallel.World;
import io.xfuser.internal.plan.RequestPlan;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Torch;
import java.util.List;

/**
 * One byte per step from every rank that will have latents to all that wait for them, so that the
 * limit for a message is one for a step and not for all of them.
 *
 * @param pairs one that denoises and one that waits; none for a rank that is neither
 */
record StepTicks(List<Communicator> pairs) {
  static StepTicks of(World world, RequestPlan plan) {
    return new StepTicks(
        plan.sources().stream()
            .flatMap(from -> plan.vaeRanks().stream().map(to -> List.of(from, to)))
            .filter(pair -> pair.contains(world.rank()))
            .map(pair -> world.group(Channel.WORLD, pair))
            .toList());
  }

  /** A step is done here; says so where somebody waits. */
  void tell(NDManager owner) {
    for (Communicator pair : pairs) {
      NDArray tick = Torch.empty(owner, ElementType.UINT8, 1);
      Torch.memory(tick).put((byte) 0);
      pair.send(List.of(tick), 1);
      tick.close();
    }
  }

  /** Waits for the next step of all. */
  void await(NDManager owner) {
    for (Communicator pair : pairs) {
      pair.receive(0).await(owner).close();
    }
  }
}
