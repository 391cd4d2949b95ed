package io.xfuser.weights;

import io.xfuser.torchscript.ElementType;
import org.jspecify.annotations.Nullable;

/**
 * How a component's weights are loaded.
 *
 * @param type the run's element type
 * @param variant of the files to prefer where there are such, {@code fp16} for example; null for
 *     none
 * @param placement where they are to be
 * @param quantized of which components linear layers have weights of 8 bits
 * @param keptFrom bytes from which on a component's linear layers are multiplied by what is in
 *     mapped files, where the CPU multiplies in fp32; see {@link #forComponent}
 */
public record LoadOptions(
    ElementType type,
    @Nullable String variant,
    Placement placement,
    Quantized quantized,
    long keptFrom) {
  /** No component is so large. */
  public static final long NEVER = Long.MAX_VALUE;

  /** A transformer of so many bytes in the run's type is left in its files (docs/adr 0081). */
  private static final long LARGE = 1L << 30;

  private static final String TEXT_ENCODER = "text_encoder"; // and text_encoder_2, …
  private static final String TRANSFORMER = "transformer";

  /** What is quantized. */
  public enum Quantized {
    NOTHING,
    TEXT_ENCODERS,
    /** Text encoders and transformer. */
    ALL
  }

  /** In {@code type}, of no variant, on the CPU. */
  public static LoadOptions of(ElementType type) {
    return new LoadOptions(type, null, Placement.CPU, Quantized.NOTHING, NEVER);
  }

  /**
   * The same for component {@code name}, of which all is quantized or nothing. What multiplies once
   * a request is kept in its files from {@link #keptFrom()} bytes on, what does in each step only
   * where it is large, and nothing else.
   */
  public LoadOptions forComponent(String name) {
    boolean chosen =
        switch (quantized) {
          case NOTHING -> false;
          case TEXT_ENCODERS -> name.startsWith(TEXT_ENCODER);
          case ALL -> name.startsWith(TEXT_ENCODER) || name.startsWith(TRANSFORMER);
        };
    return new LoadOptions(
        type, variant, placement, chosen ? Quantized.ALL : Quantized.NOTHING, keptFrom(name));
  }

  private long keptFrom(String name) {
    if (name.startsWith(TRANSFORMER)) {
      return Math.max(keptFrom, LARGE);
    }
    return name.startsWith(TEXT_ENCODER) ? keptFrom : NEVER;
  }

  /** The same to another place. */
  public LoadOptions to(Placement other) {
    return new LoadOptions(type, variant, other, quantized, keptFrom);
  }
}
