package io.xfuser.models.internal.flux;

import io.xfuser.model.PipelineModel.Calibration;
import java.util.List;

/** What was measured of Flux.1 [dev] for step caches. */
final class FluxCalibration {
  /** TeaCache's polynomial, and MagCache's ratios of 28 steps, as their authors publish them. */
  static final Calibration PUBLISHED =
      new Calibration(
          List.of(498.651651, -283.781633, 55.8554382, -3.82021401, 0.264230861),
          List.of(
              1.0, 1.21094, 1.11719, 1.07812, 1.0625, 1.03906, 1.03125, 1.03906, 1.02344, 1.03125,
              1.02344, 0.98047, 1.01562, 1.00781, 1.0, 1.00781, 1.0, 1.00781, 1.0, 1.0, 0.99609,
              0.99609, 0.98047, 0.98828, 0.96484, 0.95703, 0.93359, 0.89062));

  private FluxCalibration() {}
}
