package io.xfuser.models.internal.joint;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import io.xfuser.internal.picture.PicturePrompts;
import io.xfuser.models.internal.parts.PerBlock;
import io.xfuser.torchscript.TensorMap;
import io.xfuser.transformer.ConditionInput;
import io.xfuser.transformer.Part;
import java.util.List;
import java.util.Optional;
import java.util.stream.LongStream;

/** Pictures that are prompts, as the blocks of a request see them. Belongs to one rank's thread. */
public final class ShownPictures implements Shown {
  private final NDList tokens; // of each adapter, (B, s, W)
  private final PerBlock keysValues;

  private ShownPictures(NDManager request, NDList tokens) {
    this.tokens = tokens;
    this.keysValues = new PerBlock(request);
  }

  /**
   * Those of a request, if it has any.
   *
   * @param weights with {@link PictureAdapter#projections}
   * @throws io.xfuser.failure.ArgumentException if tensors were given that are not of the adapters'
   *     width
   */
  public static Optional<Shown> of(
      NDManager request,
      ConditionInput input,
      List<PictureAdapter> adapters,
      TensorMap weights,
      long textWidth) {
    NDList tokens = new NDList();
    for (int i = 0; i < adapters.size(); i++) {
      String name = PicturePrompts.tensor(i);
      if (!input.text().containsKey(name)) {
        return Optional.empty();
      }
      NDArray embeds = Shown.embeds(input, name, adapters.get(i).seen()); // (B, n, D)
      tokens.add(Streams.PROGRAM.call(request, "shown_tokens", embeds, weights, i, textWidth));
    }
    return adapters.isEmpty() ? Optional.empty() : Optional.of(new ShownPictures(request, tokens));
  }

  /** Keys and values (B, S, 2, H, D) of {@code block}, the same in every step. */
  NDArray keysValues(Part block, int headSize) {
    return keysValues.get(
        block,
        owner ->
            Streams.PROGRAM.call(owner, "shown_keys_values", tokens, block.weights(), headSize));
  }

  /** How many tokens there are of each adapter. */
  long[] counts() {
    return LongStream.range(0, tokens.size())
        .map(i -> tokens.get(Math.toIntExact(i)).getShape().get(1))
        .toArray();
  }
}
