package io.xfuser.pipeline;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.parallel.Channel;
import io.xfuser.parallel.Communicator;
import io.xfuser.parallel.World;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Torch;
import java.util.List;

/**
 * One byte per step from a rank that denoises to those that wait for its latents, so that the limit
 * for a message is one for a step and not for all of them.
 *
 * @param ranks the one that denoises, then those that wait, or nobody
 */
record StepTicks(List<Communicator> ranks) {
  static StepTicks of(World world, DecodingRanks decoding) {
    int from = decoding.sources().get(0);
    List<Integer> waiting = decoding.alone();
    if (world.rank() == from) {
      return new StepTicks(waiting.stream().map(to -> pair(world, from, to)).toList());
    }
    return new StepTicks(
        waiting.contains(world.rank()) ? List.of(pair(world, from, world.rank())) : List.of());
  }

  private static Communicator pair(World world, int from, int to) {
    return world.group(Channel.WORLD, List.of(from, to));
  }

  /** A step is done; only the rank that is waited for has somebody to tell. */
  void tell(NDManager owner) {
    for (Communicator pair : ranks) {
      if (pair.isFirst()) {
        NDArray tick = Torch.empty(owner, ElementType.UINT8, 1);
        Torch.memory(tick).put((byte) 0);
        pair.send(List.of(tick), 1);
        tick.close();
      }
    }
  }

  /** Waits for a step of the other. */
  void await(NDManager owner) {
    for (Communicator pair : ranks) {
      pair.receive(0).await(owner).close();
    }
  }
}
