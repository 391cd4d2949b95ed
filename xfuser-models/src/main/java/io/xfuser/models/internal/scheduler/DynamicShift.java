package io.xfuser.models.internal.scheduler;

import io.xfuser.failure.ModelException;
import io.xfuser.scheduler.SchedulerRequest;
import io.xfuser.weights.ComponentConfig;

/**
 * How far a flow's noise levels are shifted for a picture of so many tokens: linear between two
 * lengths, and beyond them. Source: diffusers {@code pipeline_flux.py}, {@code calculate_shift}.
 *
 * @param baseTokens {@code base_image_seq_len}
 * @param maxTokens {@code max_image_seq_len}
 * @param baseShift mu of a picture of {@code baseTokens}
 * @param maxShift mu of a picture of {@code maxTokens}
 */
public record DynamicShift(int baseTokens, int maxTokens, double baseShift, double maxShift) {
  private static final double MAX_SHIFT = 1.15;

  /**
   * Checks the lengths.
   *
   * @throws ModelException if they are the same, which gives no line
   */
  public DynamicShift {
    if (baseTokens == maxTokens) {
      throw new ModelException("base_image_seq_len and max_image_seq_len are both " + baseTokens);
    }
  }

  /**
   * As {@code config} says; what it leaves out has diffusers' default.
   *
   * @param config {@code scheduler/scheduler_config.json}
   */
  public static DynamicShift from(ComponentConfig config) {
    return from(config, MAX_SHIFT);
  }

  /** The same with another {@code max_shift} where the configuration has none. */
  public static DynamicShift from(ComponentConfig config, double maxShift) {
    return new DynamicShift(
        config.getInt("base_image_seq_len", 256),
        config.getInt("max_image_seq_len", 4096),
        config.getDouble("base_shift", 0.5),
        config.getDouble("max_shift", maxShift));
  }

  /**
   * The logarithm of the shift, {@link SchedulerRequest#mu}.
   *
   * @param tokens of the whole picture, after patchifying
   */
  public double mu(int tokens) {
    double slope = (maxShift - baseShift) / (maxTokens - baseTokens);
    return tokens * slope + (baseShift - slope * baseTokens);
  }
}
