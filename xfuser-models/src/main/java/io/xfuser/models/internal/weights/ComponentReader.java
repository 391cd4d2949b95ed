package io.xfuser.models.internal.weights;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.model.PipelineComponents;
import io.xfuser.nn.Range;
import java.util.Set;

/**
 * What providers elsewhere see of a component's weights.
 *
 * @param source the component's files
 * @param weights what is handed out of them
 */
record ComponentReader(ComponentWeights source, Weights weights)
    implements PipelineComponents.Weights {
  @Override
  public Set<String> names() {
    return source.names();
  }

  @Override
  public long[] shape(String name) {
    return source.shape(name);
  }

  @Override
  public NDArray get(NDManager owner, String name, long... shape) {
    return weights.get(owner, name, shape);
  }

  @Override
  public NDArray get(NDManager owner, int dimension, Range part, String name, long... shape) {
    return weights.get(owner, new Cut(dimension, part.from(), part.to()), name, shape);
  }

  @Override
  public void close() {
    source.close();
  }

  /** Opens them. */
  public static final class Formats implements PipelineComponents.WeightFormats {
    @Override
    public PipelineComponents.Weights open(PipelineComponents components, String name) {
      ComponentWeights source = ComponentWeights.open(components, name);
      return new ComponentReader(source, source.handedOut());
    }
  }
}
