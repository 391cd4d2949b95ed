package io.xfuser.models.internal.parts;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.torchscript.Program;
import io.xfuser.torchscript.Torch;
import io.xfuser.transformer.Part;
import io.xfuser.transformer.TransformerSpec.Modulations;
import java.util.List;
import java.util.function.BiFunction;
import org.jspecify.annotations.Nullable;

/**
 * Shifts, scales and gates, which depend on the timestep alone: each block computes those of
 * several steps in one product, because it takes as long as for one step, the time that its weights
 * take to be read. Belongs to one rank's thread.
 */
public final class StepModulations {
  private final NDManager request;
  private final List<Double> timesteps;
  private final BiFunction<NDManager, Double, NDArray> vector;
  private @Nullable Group group;

  /**
   * Nothing computed yet.
   *
   * @param request owns what is kept
   * @param timesteps those of the request, in its order; others are computed alone, each time that
   *     they are asked for
   * @param vector what a timestep's modulations are made of, (B, width)
   */
  public StepModulations(
      NDManager request, List<Double> timesteps, BiFunction<NDManager, Double, NDArray> vector) {
    this.request = request;
    this.timesteps = List.copyOf(timesteps);
    this.vector = vector;
  }

  /** Steps whose modulations are computed together. */
  private record Group(
      NDManager owner, List<Double> timesteps, NDArray vectors, PerBlock modulations) {}

  /** The modulations at {@code timestep}; {@code step} owns what is asked of them. */
  public Now at(NDManager step, double timestep) {
    Group present = group;
    if (present == null
        || !present.timesteps().contains(timestep)
        || !timesteps.contains(timestep)) {
      if (present != null) {
        present.owner().close();
      }
      present = begin(timestep);
      group = present;
    }
    long rows = present.vectors().getShape().get(0) / present.timesteps().size();
    long from = present.timesteps().indexOf(timestep) * rows;
    return new Now(present, from, from + rows, step, new PerBlock(step));
  }

  private Group begin(double timestep) {
    NDManager owner = request.newSubManager();
    try (NDManager scope = owner.newSubManager()) {
      NDArray first = vector.apply(scope, timestep);
      int atOnce = Modulations.together(first.getShape().get(0));
      List<Double> together = together(timestep, atOnce);
      List<NDArray> vectors =
          together.stream().map(t -> t == timestep ? first : vector.apply(scope, t)).toList();
      return new Group(owner, together, Torch.concat(owner, vectors, 0), new PerBlock(owner));
    }
  }

  /**
   * The same steps wherever one begins, so that a request that went on elsewhere has the same bits.
   */
  private List<Double> together(double timestep, int atOnce) {
    List<Double> all = timesteps.stream().distinct().toList();
    int index = all.indexOf(timestep);
    int from = index / atOnce * atOnce;
    return index < 0 ? List.of(timestep) : all.subList(from, Math.min(from + atOnce, all.size()));
  }

  /** Those of one step. */
  public static final class Now {
    private final Group group;
    private final long from;
    private final long to;
    private final NDManager step;
    private final PerBlock own;

    private Now(Group group, long from, long to, NDManager step, PerBlock own) {
      this.group = group;
      this.from = from;
      this.to = to;
      this.step = step;
      this.own = own;
    }

    public double timestep() {
      return group.timesteps().get(Math.toIntExact(from / (to - from)));
    }

    /** Owns what belongs to the step. */
    public NDManager owner() {
      return step;
    }

    /** What modulations are made of, (B, width). */
    public NDArray vector() {
      return Torch.slice(step, group.vectors(), 0, from, to);
    }

    /**
     * Those of {@code block}, (n, B, 1, C), which {@code function} makes of the vectors and its
     * weights: of (rows, width) it gives (n, rows, 1, C).
     */
    public NDArray of(Part block, Program program, String function) {
      return of(block, (owner, vectors) -> program.call(owner, function, vectors, block.weights()));
    }

    /** The same by another function of the vectors of several steps, their first dimension. */
    public NDArray of(Part block, BiFunction<NDManager, NDArray, NDArray> function) {
      NDArray all = group.modulations().get(block, owner -> function.apply(owner, group.vectors()));
      return own.get(block, owner -> Torch.slice(owner, all, 1, from, to));
    }
  }
}
