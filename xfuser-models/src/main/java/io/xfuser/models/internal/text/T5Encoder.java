package io.xfuser.models.internal.text;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.failure.ModelException;
import io.xfuser.torchscript.Program;
import io.xfuser.torchscript.TensorMap;
import io.xfuser.transformer.BlockContext;
import io.xfuser.weights.Share;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * The encoder of T5, mT5 and UMT5, which turns the ids of a text into hidden states: transformers'
 * {@code T5EncoderModel}, {@code MT5EncoderModel} and {@code UMT5EncoderModel}. The weights are
 * mapped, not copied, where the file has the run's element type. Several ranks may have a {@link
 * Share} each: some heads of every attention, some neurons of every feed-forward layer, some rows
 * of the embedding. They encode together, and sum after each of the three.
 *
 * <p>Safe for use by several threads.
 */
public final class T5Encoder implements TextModel {
  private static final Program PROGRAM = Program.load(T5Encoder.class, "encoder.py", "t5.py");

  private final T5Config config;
  private final Share share;
  private final EncoderWeights weights;

  private T5Encoder(T5Config config, Share share, EncoderWeights weights) {
    this.config = config;
    this.share = share;
    this.weights = weights;
  }

  /**
   * Opens {@code share} of an encoder, and reads no more of its file.
   *
   * @throws ModelException if the configuration is not supported, or the weights do not fit it
   */
  static T5Encoder open(EncoderFolder folder, Share share) {
    T5Config config = T5Config.of(folder.config());
    return new T5Encoder(config, share, T5Weights.open(folder, config, share));
  }

  /**
   * {@inheritDoc} After the last block and its norm; by all ranks that have shares, on each of
   * them.
   *
   * @throws ModelException if the context is for another share, or the shapes differ
   */
  @Override
  public NDArray states(NDManager owner, TextInput input) {
    BlockContext context = input.context();
    NDArray ids = input.ids();
    if (!share.equals(context.share())) {
      throw new IllegalArgumentException(
          "%s of a T5 encoder cannot take the place of %s".formatted(share, context.share()));
    }
    try (NDManager scope = owner.newSubManager()) {
      NDArray mask = input.maskOrOnes(scope);
      TokenIds.checkShapes(ids, mask);
      Positions positions = new Positions(scope, weights.beside(scope, mask));
      NDArray x = embed(scope, ids, context); // (B, T, D)
      AtomicInteger layers = new AtomicInteger();
      context.listener().computed(0, config.layers());
      EncoderWeights.LayerFunction block =
          (to, in, layer) -> {
            NDArray bias = positions.of(layer); // (B, H, T, T)
            NDArray out =
                context
                    .terms(2, PROGRAM)
                    .call(
                        to,
                        "block",
                        in,
                        layer,
                        bias,
                        config.headWidth(),
                        config.epsilon(),
                        input.parts());
            context.listener().computed(layers.incrementAndGet(), config.layers());
            return out;
          };
      NDArray last = weights.run(scope, weights.all(x), block);
      return PROGRAM.call(owner, "last_norm", last, weights.outside(), config.epsilon());
    }
  }

  /** What is added to scores: of the layer before where a layer has no positions of its own. */
  private final class Positions {
    private final NDManager owner;
    private final NDArray mask; // (B, T)
    private @Nullable NDArray last; // (B, H, T, T)

    Positions(NDManager owner, NDArray mask) {
      this.owner = owner;
      this.mask = mask;
    }

    NDArray of(TensorMap layer) {
      NDArray bias = last;
      if (bias == null || layer.names().contains(T5Weights.POSITIONS + ".weight")) {
        if (bias != null) {
          bias.close();
        }
        int buckets = config.buckets();
        bias = PROGRAM.call(owner, "position_bias", layer, mask, buckets, config.maxDistance());
        last = bias;
      }
      return bias;
    }
  }

  private NDArray embed(NDManager owner, NDArray ids, BlockContext context) {
    try (NDManager scope = owner.newSubManager()) {
      NDArray here = weights.beside(scope, ids);
      if (share.isWhole()) {
        return PROGRAM.call(owner, "embed", here, weights.outside()); // (B, T, D)
      }
      long first = config.rows().cut(share, 0).from();
      return context
          .sum()
          .of(owner, PROGRAM.call(scope, "embed_some", here, weights.outside(), first));
    }
  }

  @Override
  public boolean keepsApart() {
    return true;
  }

  @Override
  public long parameterBytes() {
    return weights.bytes();
  }

  @Override
  public void close() {
    weights.close();
  }

  /** Opens T5's, mT5's and UMT5's, which differ in what their settings leave out. */
  public static final class Provider extends TextModelClass {
    public Provider() {
      super(
          Set.of("T5EncoderModel", "MT5EncoderModel", "UMT5EncoderModel"),
          Set.of(Ability.STATES, Ability.MASK, Ability.SHARES),
          T5Encoder::open,
          config -> T5Config.of(config).sizes());
    }
  }
}
