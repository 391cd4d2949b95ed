package io.xfuser.examples.quality;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.torchscript.TensorMap;
import io.xfuser.torchscript.Torch;
import io.xfuser.transformer.Block;
import io.xfuser.transformer.BlockContext;
import io.xfuser.transformer.Conditioner;
import io.xfuser.transformer.Embedding;
import io.xfuser.transformer.Head;
import io.xfuser.transformer.Hidden;
import io.xfuser.transformer.TransformerSpec;
import io.xfuser.weights.Share;
import java.util.HashMap;
import java.util.Map;
import java.util.OptionalInt;

/**
 * A transformer of which is noted, call by call, how its first block's input, its residual and its
 * prediction change: what step caches are calibrated by. In fp32, all blocks and the whole picture
 * on one rank.
 *
 * @param inner the transformer
 * @param notes of the present request
 */
record MeasuredTransformer<C>(TransformerSpec<C> inner, Notes notes) implements TransformerSpec<C> {
  @Override
  public int depth() {
    return inner.depth();
  }

  @Override
  public int heads() {
    return inner.heads();
  }

  @Override
  public int headSize() {
    return inner.headSize();
  }

  @Override
  public int attentions(int index) {
    return inner.attentions(index);
  }

  @Override
  public OptionalInt skipFrom(int index) {
    return inner.skipFrom(index);
  }

  @Override
  public boolean modulates() {
    return inner.modulates();
  }

  @Override
  public Block<C> block(int index, Share share) {
    Block<C> block = inner.block(index, share);
    boolean first = index == 0;
    boolean last = index == depth() - 1;
    return first || last ? new MeasuredBlock<>(block, first, last, modulates(), notes) : block;
  }

  @Override
  public Embedding<C> embedding() {
    return inner.embedding();
  }

  @Override
  public Head<C> head() {
    return new MeasuredHead<>(inner.head(), notes);
  }

  @Override
  public Conditioner<C> conditioner() {
    return inner.conditioner();
  }

  /** The first or the last block, watched. */
  private record MeasuredBlock<C>(
      Block<C> inner, boolean first, boolean last, boolean modulates, Notes notes)
      implements Block<C> {
    @Override
    public Hidden forward(NDManager owner, Hidden x, C conditioning, BlockContext context) {
      if (first) {
        notes.keep("input", x.image());
        if (modulates) {
          notes.change("modulated", inner.modulated(owner, x, conditioning));
        }
      }
      Hidden out = inner.forward(owner, x, conditioning, context);
      if (last) {
        notes.residual(out.image());
      }
      return out;
    }

    @Override
    public NDArray modulated(NDManager owner, Hidden x, C conditioning) {
      return inner.modulated(owner, x, conditioning);
    }

    @Override
    public TensorMap weights() {
      return inner.weights();
    }
  }

  /** The head, watched. */
  private record MeasuredHead<C>(Head<C> inner, Notes notes) implements Head<C> {
    @Override
    public NDArray predict(NDManager owner, Hidden x, C conditioning) {
      NDArray prediction = inner.predict(owner, x, conditioning);
      notes.change("predicted", prediction);
      return prediction;
    }

    @Override
    public TensorMap weights() {
      return inner.weights();
    }
  }

  /** What was seen so far of one request. */
  static final class Notes implements AutoCloseable {
    private final NDManager manager = Torch.newManager();
    private final Map<String, NDArray> kept = new HashMap<>();
    private final Calibrate.Measured measured = new Calibrate.Measured();

    /** All of it; the next request begins anew. */
    Calibrate.Measured take() {
      Calibrate.Measured taken = measured.copy();
      measured.clear();
      kept.values().forEach(NDArray::close);
      kept.clear();
      return taken;
    }

    private void keep(String name, NDArray tensor) {
      NDArray old = kept.put(name, Torch.copy(manager, tensor));
      if (old != null) {
        old.close();
      }
    }

    private void change(String name, NDArray now) {
      NDArray before = kept.get(name);
      if (before != null) {
        measured.add(name, sum(now.sub(before).abs()) / sum(before.abs()));
      }
      keep(name, now);
    }

    /** How long the residual of each token is beside that of the step before, on average. */
    private void residual(NDArray out) {
      NDArray residual = out.sub(kept.get("input"));
      NDArray length = residual.square().sum(new int[] {2}).sqrt(); // (B, L)
      NDArray before = kept.get("length");
      measured.add("ratio", before == null ? 1 : length.div(before).mean().getFloat());
      keep("length", length);
    }

    private static double sum(NDArray x) {
      return x.sum().getFloat();
    }

    @Override
    public void close() {
      manager.close();
    }
  }
}
