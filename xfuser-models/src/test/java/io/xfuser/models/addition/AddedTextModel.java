package io.xfuser.models.addition;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.xfuser.models.internal.text.EncoderFolder;
import io.xfuser.models.internal.text.TextInput;
import io.xfuser.models.internal.text.TextModel;
import io.xfuser.models.internal.text.TextModelProvider;
import io.xfuser.models.internal.text.TextSizes;
import io.xfuser.torchscript.Torch;
import io.xfuser.weights.ComponentConfig;
import io.xfuser.weights.Share;
import java.util.Map;
import java.util.Set;

/** A token's state has a share of its number in each channel; ranks sum what they have of it. */
record AddedTextModel(int width, Share share) implements TextModel {
  @Override
  public NDArray states(NDManager owner, TextInput input) {
    try (NDManager scope = owner.newSubManager()) {
      Shape shape = new Shape(input.ids().getShape().add(width).getShape());
      NDArray ids = Torch.alias(scope, input.ids()).toType(DataType.FLOAT32, true);
      NDArray whole = ids.expandDims(2).mul(0.1f).broadcast(shape); // (B, T, C)
      NDArray part = Torch.copy(scope, whole.div(share.parts()));
      return share.isWhole() ? Torch.copy(owner, part) : input.context().sum().of(owner, part);
    }
  }

  @Override
  public long parameterBytes() {
    return 4L * width / share.parts();
  }

  @Override
  public void close() {
    // holds nothing
  }

  /** Opens it. */
  public static final class Provider implements TextModelProvider {
    @Override
    public Set<String> classNames() {
      return Set.of("AddedTextModel");
    }

    @Override
    public Set<Ability> abilities() {
      return Set.of(Ability.STATES, Ability.MASK, Ability.SHARES);
    }

    @Override
    public TextModel open(EncoderFolder folder, Share share) {
      return new AddedTextModel(folder.config().getInt("d_model", 0), share);
    }

    @Override
    public TextSizes sizes(ComponentConfig config) {
      return new TextSizes(
          Integer.MAX_VALUE,
          Map.of(Ability.STATES, new TextSizes.Width("d_model", config.getInt("d_model", 0))));
    }
  }
}
