package io.xfuser.internal.runtime;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.nn.TokenRange;
import io.xfuser.torchscript.TensorMap;
import io.xfuser.torchscript.Torch;
import io.xfuser.transformer.Block;
import io.xfuser.transformer.BlockContext;
import io.xfuser.transformer.ConditionInput;
import io.xfuser.transformer.Conditioner;
import io.xfuser.transformer.Embedding;
import io.xfuser.transformer.Head;
import io.xfuser.transformer.Hidden;
import io.xfuser.transformer.TransformerSpec;
import io.xfuser.weights.Share;
import java.time.Duration;
import java.util.Map;

/** Changes nothing, but every block takes {@code time} without needing a core. */
record SlowTransformer(int depth, Duration time) implements TransformerSpec<String> {
  @Override
  public int heads() {
    return 1;
  }

  @Override
  public int headSize() {
    return 1;
  }

  @Override
  public Block<String> block(int index, Share share) {
    return new Part(time);
  }

  @Override
  public Embedding<String> embedding() {
    return new Part(time);
  }

  @Override
  public Head<String> head() {
    return new Part(time);
  }

  @Override
  public Conditioner<String> conditioner() {
    return new Part(time);
  }

  /** Any part. */
  private record Part(Duration time)
      implements Block<String>, Embedding<String>, Head<String>, Conditioner<String> {
    @Override
    public Hidden forward(NDManager owner, Hidden x, String conditioning, BlockContext context) {
      long end = System.nanoTime() + time.toNanos();
      try {
        for (long left = time.toNanos(); left > 0; left = end - System.nanoTime()) {
          Thread.sleep(left / 1_000_000, (int) (left % 1_000_000));
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
      return x.with(Torch.alias(owner, x.image()));
    }

    @Override
    public NDArray embed(NDManager owner, NDArray tokens, TokenRange local, String conditioning) {
      return Torch.contiguous(owner, tokens);
    }

    @Override
    public NDArray predict(NDManager owner, Hidden x, String conditioning) {
      return Torch.alias(owner, x.image());
    }

    @Override
    public String begin(NDManager request, ConditionInput input) {
      return "nothing";
    }

    @Override
    public String at(NDManager step, String conditioning, double timestep) {
      return conditioning;
    }

    @Override
    public TensorMap weights() {
      return TensorMap.of(Map.of());
    }
  }
}
