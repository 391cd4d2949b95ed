package io.xfuser.internal.runtime;

import io.xfuser.internal.device.DeviceClock.Mark;
import io.xfuser.internal.report.RankFigures;
import io.xfuser.nn.Range;
import java.util.ArrayDeque;
import java.util.Queue;
import java.util.function.IntConsumer;

/**
 * Takes the steps of a request on one rank, and tells of each once its device has done it. On the
 * CPU that is when the step returns. On a GPU the step is only enqueued then: its end is waited for
 * when the next step has been enqueued, so that the GPU does not wait for the host, and the host is
 * never more than one step ahead of what it says it does. The last step is waited for at the end.
 *
 * @param figures of the rank
 * @param step takes a step, counted from 0
 * @param done hears that it is done
 */
record StepCourse(RankFigures figures, IntConsumer step, IntConsumer done) {
  /**
   * Takes all steps of a range that {@code gate} lets begin.
   *
   * @param afterEach called after each one was taken, done or not
   * @return the step that comes next
   */
  int take(Range steps, StepGate gate, Runnable afterEach) {
    int ahead = figures.clock().enqueues() ? 1 : 0;
    Queue<Mark> underWay = new ArrayDeque<>();
    Mark start = figures.mark();
    int t = steps.from();
    for (; t < steps.to() && gate.enter(t); t++) {
      Mark from = figures.mark();
      step.accept(t);
      Mark until = figures.mark();
      figures.stepTaken(from, until);
      afterEach.run();
      underWay.add(until);
      if (underWay.size() > ahead) {
        finish(underWay.remove(), t - ahead);
      }
    }
    while (!underWay.isEmpty()) {
      finish(underWay.remove(), t - 1 - underWay.size());
    }
    figures.denoised(start);
    return t;
  }

  private void finish(Mark end, int t) {
    end.await();
    done.accept(t);
  }
}
