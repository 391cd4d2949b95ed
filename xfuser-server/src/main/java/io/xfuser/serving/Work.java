package io.xfuser.serving;

/**
 * What a scheduler knows of a request, or of several that are drawn together. Times are in seconds
 * since some moment.
 *
 * @param id tells it from others
 * @param shape what has steps of equal length in {@link StepTimes}
 * @param pictures at a time
 * @param steps of all
 * @param taken of them
 * @param arrival when it came
 * @param deadline when it should be over, {@link Double#POSITIVE_INFINITY} for none
 * @param degree the ranks that it runs on, 0 if it does not
 * @param most the ranks that it can run on, at most
 * @param stopping whether it has been told to pause after its present step
 * @param joins equal for those that may be drawn together if none has begun; empty for none
 */
public record Work(
    long id,
    String shape,
    int pictures,
    int steps,
    int taken,
    double arrival,
    double deadline,
    int degree,
    int most,
    boolean stopping,
    String joins) {
  boolean runs() {
    return degree > 0;
  }

  boolean begun() {
    return taken > 0 || runs();
  }

  /** Seconds that are left on so many ranks. */
  double left(StepTimes times, int ranks) {
    return (steps - taken) * times.of(shape, pictures, ranks);
  }
}
