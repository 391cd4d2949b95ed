package io.xfuser.transformer;

import ai.djl.ndarray.NDManager;

/**
 * What every block may read: made once per request, completed once per step.
 *
 * @param <C> the model's conditioning
 */
public interface Conditioner<C> extends AutoCloseable {
  /**
   * What is the same for every step; {@code request} owns it and all that is computed later from
   * it.
   */
  C begin(NDManager request, ConditionInput input);

  /** The conditioning of the step at {@code timestep}; {@code step} owns what is new. */
  C at(NDManager step, C conditioning, double timestep);

  /** Bytes of its weights. */
  long parameterBytes();

  @Override
  void close();
}
