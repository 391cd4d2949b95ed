package io.xfuser.weights;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.failure.ModelException;
import io.xfuser.nn.Range;
import java.util.Set;

/**
 * The tensors of one component, whatever the format of its files, in the run's element type on the
 * device of its {@link Placement}. Opening reads headers; a tensor is read when it is asked for,
 * and stays valid when this is closed. None may be written to: it may be the file itself. Safe for
 * use by several threads. Opened by {@link io.xfuser.model.PipelineComponents#weights}.
 */
public interface WeightReader extends AutoCloseable {
  /** The names of all tensors, diffusers' or transformers'. */
  Set<String> names();

  /**
   * The shape of the tensor {@code name}.
   *
   * @throws ModelException if there is none
   */
  long[] shape(String name);

  /**
   * The tensor {@code name}.
   *
   * @param shape the shape that the model needs
   * @throws ModelException naming file and tensor, if it is missing, has another shape, lies
   *     outside its file or holds no floating-point numbers
   */
  NDArray get(NDManager owner, String name, long... shape);

  /**
   * Those elements of the tensor {@code name} that are {@code part} of it along a dimension, for a
   * {@link Share}; the rest is not read.
   *
   * @param shape the shape that the model needs of the whole tensor
   * @throws ModelException as for the whole tensor
   */
  NDArray get(NDManager owner, int dimension, Range part, String name, long... shape);

  /** Lets go of the files. */
  @Override
  void close();
}
