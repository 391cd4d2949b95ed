package io.xfuser.models.internal.parts;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.models.internal.parts.StepModulations.Now;
import io.xfuser.nn.Sequence.Axes;
import io.xfuser.nn.TokenRange;
import io.xfuser.torchscript.Program;
import io.xfuser.torchscript.Torch;
import io.xfuser.transformer.ConditionInput;
import io.xfuser.transformer.Part;
import java.util.List;
import java.util.function.BiFunction;
import org.jspecify.annotations.Nullable;

/**
 * Modulations where some tokens, the first ones of a video, may be at timestep 0 in every step.
 * Belongs to one rank's thread.
 */
public final class TwoTimesteps {
  private final int still;
  private final BiFunction<NDManager, Double, NDArray> embedded;
  private final StepModulations moving;
  private final StepModulations resting;

  /**
   * Nothing computed yet.
   *
   * @param request owns what is kept
   * @param input says how many tokens rest; they are in the order of their frames on every rank
   * @param embedded a timestep, (1, C)
   * @param vector what modulations are made of, of that, (1, width)
   */
  public TwoTimesteps(
      NDManager request,
      ConditionInput input,
      BiFunction<NDManager, Double, NDArray> embedded,
      BiFunction<NDManager, NDArray, NDArray> vector) {
    Axes axes = input.picture().sequence().segments().get(0);
    long first = (long) input.picture().still() * axes.rows() * axes.columns();
    this.still = Math.toIntExact(input.positions().stream().filter(at -> at < first).count());
    this.embedded = embedded;
    BiFunction<NDManager, Double, NDArray> of =
        (owner, t) -> vector.apply(owner, embedded.apply(owner, t));
    this.moving = new StepModulations(request, input.timesteps(), of);
    this.resting = new StepModulations(request, List.of(0.0), of);
  }

  public Step at(NDManager step, double timestep) {
    NDArray now = embedded.apply(step, timestep);
    return still == 0
        ? new Step(step, 0, moving.at(step, timestep), null, now)
        : new Step(
            step,
            still,
            moving.at(step, timestep),
            resting.at(step, 0),
            Torch.concat(step, List.of(now, embedded.apply(step, 0.0)), 0));
  }

  /**
   * A step.
   *
   * @param owner of what belongs to it
   * @param tokens of this rank that are at timestep 0
   * @param moving modulations of the others
   * @param resting theirs; null where there are none
   * @param embedded the timestep, and where some are at 0 that one, (S, C)
   */
  public record Step(
      NDManager owner, int tokens, Now moving, @Nullable Now resting, NDArray embedded) {
    /** Modulations of {@code block} (n, S, 1, C), of one step or of two. */
    public NDArray of(Part block, Program program, String function) {
      NDArray now = moving.of(block, program, function);
      return resting == null
          ? now
          : Torch.concat(owner, List.of(now, resting.of(block, program, function)), 1);
    }

    /** How many tokens of {@code local}, the first ones, are at timestep 0. */
    public int still(TokenRange local) {
      return Math.max(0, Math.min(tokens, local.to()) - local.from());
    }
  }
}
