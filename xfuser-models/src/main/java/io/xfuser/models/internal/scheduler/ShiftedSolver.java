package io.xfuser.models.internal.scheduler;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.scheduler.Sample;
import io.xfuser.scheduler.Scheduler;

/** What solvers on a shifted schedule have in common. */
abstract sealed class ShiftedSolver implements Scheduler permits ShiftedDdim, ShiftedDpm {
  final ShiftedSchedule schedule;

  ShiftedSolver(ShiftedSchedule schedule) {
    this.schedule = schedule;
  }

  @Override
  public double[] timesteps() {
    return schedule.exactTimesteps();
  }

  @Override
  public NDArray original(NDManager owner, Sample sample, NDArray prediction) {
    double alpha = schedule.alpha(Steps.next(sample, schedule.timesteps().length));
    double[] roots = {Math.sqrt(alpha), Math.sqrt(1 - alpha)};
    return Steps.PROGRAM.call(
        owner, "predict_original", schedule.predictionType(), sample.tokens(), prediction, roots);
  }
}
