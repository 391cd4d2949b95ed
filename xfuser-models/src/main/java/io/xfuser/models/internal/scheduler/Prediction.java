package io.xfuser.models.internal.scheduler;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;

/**
 * What multistep solvers make of the model's output: the picture that it implies, or the noise.
 *
 * @param kind {@code prediction_type}
 * @param picture whether the picture is wanted
 */
record Prediction(String kind, boolean picture, MultistepSigmas sigmas, SolverTables tables) {
  /** Reads {@code prediction_type}; the noise of a flow's prediction is not defined. */
  static Prediction of(
      SchedulerSettings options, boolean picture, MultistepSigmas sigmas, SolverTables tables) {
    String kind =
        picture
            ? options.oneOf(
                "prediction_type", "epsilon", "v_prediction", "sample", "flow_prediction")
            : options.oneOf("prediction_type", "epsilon", "v_prediction", "sample");
    return new Prediction(kind, picture, sigmas, tables);
  }

  Prediction ofPicture() {
    return new Prediction(kind, true, sigmas, tables);
  }

  /** Of {@code output} for {@code tokens} at level {@code step}. */
  NDArray convert(NDManager owner, NDArray tokens, NDArray output, int step) {
    // a flow's noise level is the table's own, whichever way the other coefficients are made
    double sigma = kind.equals("flow_prediction") ? sigmas.values()[step] : tables.sigma()[step];
    return Steps.PROGRAM.call(
        owner,
        picture ? "predict_original" : "predict_noise",
        kind,
        tokens,
        output,
        new double[] {tables.alpha()[step], sigma});
  }
}
