package io.xfuser.models.text;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.torchscript.Program;
import io.xfuser.weights.Loading;
import java.nio.file.Path;

/**
 * The encoder of T5 and mT5, which turns the ids of a text into hidden states: transformers' {@code
 * T5EncoderModel} and {@code MT5EncoderModel}. The weights are mapped, not copied, where the file
 * has the run's element type.
 *
 * <p>Safe for use by several threads.
 */
public final class T5Encoder implements MaskedEncoder {
  private static final Program PROGRAM = Program.load(T5Encoder.class, "encoder.py", "t5.py");

  private final T5Config config;
  private final EncoderWeights weights;

  private T5Encoder(T5Config config, EncoderWeights weights) {
    this.config = config;
    this.weights = weights;
  }

  /**
   * Opens the {@code text_encoder} directory of a diffusers pipeline.
   *
   * @param loading to float32, bfloat16 or float16
   * @throws IllegalArgumentException if the configuration is not supported, or the weights do not
   *     fit it
   */
  public static T5Encoder open(Path directory, Loading loading) {
    EncoderWeights.Source source = new EncoderWeights.Source(directory, loading);
    T5Config config = T5Config.of(source.config());
    return new T5Encoder(config, T5Weights.open(source, config));
  }

  /** Those after the last block and its norm; those of padding have no meaning. */
  @Override
  public NDArray encode(NDManager owner, NDArray ids, NDArray mask) {
    TokenIds.checkShapes(ids, mask);
    try (NDManager scope = owner.newSubManager()) {
      NDArray bias = // (B, H, T, T)
          PROGRAM.call(
              scope,
              "position_bias",
              weights.get(T5Weights.POSITIONS),
              weights.beside(scope, mask),
              config.buckets(),
              config.maxDistance());
      NDArray x =
          PROGRAM.call(
              scope,
              "embed",
              T5Weights.embedding(weights),
              weights.beside(scope, ids)); // (B, T, D)
      NDArray last =
          weights.run(
              scope, weights.all(x), PROGRAM, "block", bias, config.heads(), config.epsilon());
      NDArray norm = weights.get(T5Weights.FINAL_NORM);
      return PROGRAM.call(owner, "rms_norm", last, norm, config.epsilon());
    }
  }

  /**
   * The same without a mask: padding is attended to like any other token, as Stable Diffusion 3 and
   * Flux do.
   *
   * @param ids token ids (B, T), int64
   */
  public NDArray encode(NDManager owner, NDArray ids) {
    try (NDManager scope = owner.newSubManager()) {
      return encode(owner, ids, PROGRAM.call(scope, "ones_like", ids));
    }
  }

  @Override
  public int width() {
    return config.width();
  }

  @Override
  public long parameterBytes() {
    return weights.bytes();
  }

  @Override
  public void close() {
    weights.close();
  }
}
