package io.xfuser.pipeline;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import java.util.List;
import java.util.Map;

/** Everything between a prompt and the tensors that the transformer is conditioned on. */
public interface TextEncoder extends AutoCloseable {
  /**
   * Encodes.
   *
   * @param prompts positive or negative prompts
   * @return tensors by name; dimension 0 of each is the prompts
   */
  Map<String, NDArray> encode(NDManager owner, List<String> prompts, Options options);

  /** Bytes of the encoder's weights. */
  long parameterBytes();

  @Override
  void close();

  /**
   * How text is prepared.
   *
   * @param maxSequenceLength tokens; longer prompts are cut
   * @param cleanCaption whether prompts are cleaned as the training captions were
   */
  record Options(int maxSequenceLength, boolean cleanCaption) {}
}
