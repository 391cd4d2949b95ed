package io.xfuser.models.addition;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.attention.Qkv;
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
import java.util.Map;

/** Two blocks, which attend with what they have and add the text's mean. */
record AddedTransformer() implements TransformerSpec<AddedTransformer.Text> {
  private static final int HEADS = 2;
  private static final int HEAD_SIZE = 8; // two heads of the 16 values of a token

  /** The mean (B, 1, 1) of a picture's text. */
  record Text(NDArray mean) {}

  @Override
  public int depth() {
    return 2;
  }

  @Override
  public int heads() {
    return HEADS;
  }

  @Override
  public int headSize() {
    return HEAD_SIZE;
  }

  @Override
  public Block<Text> block(int index, Share share) {
    return new Part();
  }

  @Override
  public Embedding<Text> embedding() {
    return new Part();
  }

  @Override
  public Head<Text> head() {
    return new Part();
  }

  @Override
  public Conditioner<Text> conditioner() {
    return new Part();
  }

  /** All parts in one: none has weights. */
  private static final class Part
      implements Block<Text>, Embedding<Text>, Head<Text>, Conditioner<Text> {
    private final TensorMap nothing = TensorMap.of(Map.of());

    @Override
    public TensorMap weights() {
      return nothing;
    }

    @Override
    public long parameterBytes() {
      return 0;
    }

    @Override
    public void close() {
      nothing.close();
    }

    @Override
    public Text begin(NDManager request, ConditionInput input) {
      try (NDManager scope = request.newSubManager()) {
        NDArray states = Torch.alias(scope, input.text("prompt_embeds")); // (B, T, C)
        return new Text(
            Torch.copy(request, states.mean(new int[] {2}, true).mean(new int[] {1}, true)));
      }
    }

    @Override
    public Text at(NDManager step, Text conditioning, double timestep) {
      return conditioning;
    }

    @Override
    public NDArray embed(NDManager owner, NDArray tokens, TokenRange local, Text conditioning) {
      return Torch.copy(owner, tokens); // (B, l, 16)
    }

    @Override
    public Hidden forward(NDManager owner, Hidden x, Text c, BlockContext context) {
      try (NDManager scope = owner.newSubManager()) {
        NDArray image = Torch.alias(scope, x.image());
        long rows = image.getShape().get(0);
        NDArray heads = image.reshape(rows, -1, 1, HEADS, HEAD_SIZE); // (B, l, 1, H, D)
        NDArray packed = Torch.copy(scope, heads.repeat(2, 3)); // (B, l, 3, H, D)
        NDArray attended = context.attend(scope, 0, new Qkv(packed, x.place().span()));
        NDArray text = Torch.alias(scope, c.mean());
        NDArray sum = Torch.alias(scope, attended).reshape(image.getShape()).add(text).add(image);
        return x.with(Torch.copy(owner, sum.div(2f)));
      }
    }

    @Override
    public NDArray predict(NDManager owner, Hidden x, Text conditioning) {
      return Torch.copy(owner, x.image());
    }
  }
}
