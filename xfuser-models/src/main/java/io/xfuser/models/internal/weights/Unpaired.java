package io.xfuser.models.internal.weights;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.torchscript.Torch;
import java.util.stream.LongStream;

/**
 * Rows of heads that lie in pairs of those that turn together, as Meta's and llama.cpp's programs
 * have them, in the order in which transformers has them: the first of each pair before the second
 * ones. Source: llama.cpp's {@code convert_hf_to_gguf.py} ({@code LlamaModel.permute}), which this
 * undoes.
 *
 * @param head D, the rows of a head
 */
record Unpaired(Stored whole, int head) implements MadeOf {
  @Override
  public long[] shape() {
    return whole.shape();
  }

  /** Reads all of the heads that a window has rows of. */
  @Override
  public NDArray read(NDManager owner, Window window, Handing how) {
    Cut rows = window.rowsOf(shape()[0]);
    long first = rows.from() / head * head;
    long end = (rows.to() + head - 1) / head * head;
    try (NDManager scope = owner.newSubManager()) {
      NDArray heads = whole.read(scope, window.withRows(new Cut(0, first, end)), how);
      long[] from =
          LongStream.range(rows.from(), rows.to()).map(row -> paired(row) - first).toArray();
      return Torch.rows(owner, heads, from);
    }
  }

  private long paired(long row) {
    long within = row % head;
    long half = head / 2L;
    return row - within + within % half * 2 + within / half;
  }
}
