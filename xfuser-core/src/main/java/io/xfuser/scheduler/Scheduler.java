package io.xfuser.scheduler;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Torch;
import org.jspecify.annotations.Nullable;

/**
 * A noise schedule with its solver, for a fixed number of steps. It keeps nothing between calls, so
 * the patches of a picture may be stepped in any order; all it does is elementwise.
 */
public interface Scheduler {
  /** The solver's name, for people. */
  default String name() {
    return getClass().getSimpleName();
  }

  /** The timesteps that the model is given, one per call of it: usually as many as steps. */
  double[] timesteps();

  /** What standard normal noise is multiplied with to become the first sample; usually 1. */
  default double initialNoiseSigma() {
    return 1;
  }

  /** What the model is given instead of {@code tokens} at step {@code step}; often the same. */
  default NDArray scaleInput(NDManager owner, NDArray tokens, int step) {
    return Torch.alias(owner, tokens);
  }

  /** Whether steps add noise, so that {@link #step} needs it. */
  default boolean stochastic() {
    return false;
  }

  /**
   * How often diffusers draws noise in step {@code step} where {@link #stochastic}; of several
   * draws the last one counts.
   */
  default int draws(int step) {
    return 1;
  }

  /**
   * The element type in which diffusers draws the first sample, and keeps those after it.
   *
   * @param run in which the transformer computes
   * @param begun whether the first sample is a picture with noise
   */
  default ElementType sampleType(ElementType run, boolean begun) {
    return run;
  }

  /**
   * The element type in which diffusers draws the noise of steps.
   *
   * @param run that of the samples
   */
  default ElementType noiseType(ElementType run) {
    return run;
  }

  /** Whether samples may begin with a picture: whether there is {@link #noised}. */
  default boolean noisesPictures() {
    return false;
  }

  /**
   * A picture as it is on its way to noise, elementwise: diffusers' {@code scale_noise}.
   *
   * @param owner owns the result
   * @param picture latents without noise
   * @param noise standard normal noise of the same shape
   * @param step the step that would be taken next
   */
  default NDArray noised(NDManager owner, NDArray picture, NDArray noise, int step) {
    throw new UnsupportedOperationException(name() + " noises no pictures");
  }

  /**
   * The sample after one more step.
   *
   * @param owner owns the new sample's tokens and history
   * @param prediction the model's output, of the shape of the sample's tokens
   * @param noise standard normal noise of the same shape where {@link #stochastic}, else null
   */
  Sample step(NDManager owner, Sample sample, NDArray prediction, @Nullable NDArray noise);

  /**
   * The picture without noise that {@code prediction} implies, clipped where the settings say so:
   * what diffusers' step returns beside the next sample; null where it returns none.
   *
   * @param owner owns the result
   */
  default @Nullable NDArray original(NDManager owner, Sample sample, NDArray prediction) {
    return null;
  }

  /**
   * The picture without noise that {@code prediction} implies, to be shown while steps are left:
   * what the last step would give, were this the last one; null where that is not known.
   *
   * @param owner owns the result
   */
  default @Nullable NDArray preview(NDManager owner, Sample sample, NDArray prediction) {
    return original(owner, sample, prediction);
  }
}
