package io.xfuser.models.text;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Program;
import io.xfuser.torchscript.TensorList;
import io.xfuser.weights.ComponentConfig;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * The encoder of T5, which turns the ids of a text into hidden states: transformers' {@code
 * T5EncoderModel}. The weights are mapped, not copied, where the file has the run's element type.
 *
 * <p>Safe for use by several threads.
 */
public final class T5Encoder implements AutoCloseable {
  private static final Program PROGRAM = Program.load(T5Encoder.class, "t5.py");

  private final T5Config config;
  private final T5Weights weights;

  private T5Encoder(T5Config config, T5Weights weights) {
    this.config = config;
    this.weights = weights;
  }

  /**
   * Opens the {@code text_encoder} directory of a diffusers pipeline.
   *
   * @param runType float32, bfloat16 or float16
   * @throws IllegalArgumentException if the configuration is not supported, or the weights do not
   *     fit it
   */
  public static T5Encoder open(Path directory, ElementType runType) {
    return open(directory, runType, null);
  }

  /** The same with the weights of a variant, {@code fp16} for example, where there are such. */
  public static T5Encoder open(Path directory, ElementType runType, @Nullable String variant) {
    T5Config config = T5Config.of(ComponentConfig.read(directory.resolve("config.json")));
    return new T5Encoder(config, T5Weights.open(directory, variant, config, runType));
  }

  /**
   * The hidden states after the last block and its norm.
   *
   * @param ids token ids (B, T), int64
   * @param mask 1 for tokens, 0 for padding, (B, T), int64
   * @return (B, T, {@link #width}) in the run's element type; those of padding have no meaning
   */
  public NDArray encode(NDManager owner, NDArray ids, NDArray mask) {
    Shape shape = ids.getShape();
    if (shape.dimension() != 2 || !shape.equals(mask.getShape())) {
      throw new IllegalArgumentException(
          "ids and mask must both be (texts, tokens), got " + shape + " and " + mask.getShape());
    }
    try (NDManager scope = owner.newSubManager()) {
      NDArray bias = // (B, H, T, T)
          PROGRAM.call(
              scope,
              "position_bias",
              weights.positions(),
              mask,
              config.buckets(),
              config.maxDistance());
      NDArray x = PROGRAM.call(scope, "embed", weights.embedding(), ids); // (B, T, D)
      for (TensorList block : weights.blocks()) {
        NDArray next =
            PROGRAM.call(scope, "block", x, bias, block, config.heads(), config.epsilon());
        x.close();
        x = next;
      }
      return PROGRAM.call(owner, "rms_norm", x, weights.finalNorm(), config.epsilon());
    }
  }

  /** The width of the hidden states, D. */
  public int width() {
    return config.width();
  }

  /** Bytes of all parameters, mapped or copied. */
  public long parameterBytes() {
    return weights.bytes();
  }

  @Override
  public void close() {
    weights.close();
  }
}
