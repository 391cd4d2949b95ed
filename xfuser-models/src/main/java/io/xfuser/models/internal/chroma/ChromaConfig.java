package io.xfuser.models.internal.chroma;

import io.xfuser.failure.ModelException;
import io.xfuser.models.internal.joint.StreamConfig;
import io.xfuser.weights.ComponentConfig;

/**
 * What distinguishes one Chroma transformer from another, as in diffusers' {@code
 * ChromaTransformer2DModel}.
 *
 * @param streams its blocks, and the widths of its tokens
 * @param numberWidth values of a row's number and a timestep, which the approximator takes
 * @param innerWidth width of the approximator's layers
 * @param layers of the approximator
 */
record ChromaConfig(StreamConfig streams, int numberWidth, int innerWidth, int layers) {
  private static final int OF_A_DOUBLE_BLOCK = 6; // for the image, and as many for the text
  private static final int OF_A_SINGLE_BLOCK = 3;
  private static final int OF_THE_HEAD = 2;

  /** Checks that what the approximator takes can be shared out. */
  ChromaConfig {
    if (numberWidth % 8 != 0 || numberWidth < 8) {
      throw new ModelException(
          "%s: approximator_num_channels must be a multiple of 8, but is %d"
              .formatted(streams.origin(), numberWidth));
    }
    if (streams.inputWidth() != streams.tokenWidth()) {
      throw new ModelException(
          "%s: in_channels %d and out_channels %d must be the same"
              .formatted(streams.origin(), streams.inputWidth(), streams.tokenWidth()));
    }
  }

  /** N, the rows of the table of modulations. */
  int rows() {
    return textRow(streams.doubleBlocks()) + OF_THE_HEAD;
  }

  /** The first rows of block {@code index}: for a double block the image's and the text's. */
  long[] firstRows(int index) {
    int single = index - streams.doubleBlocks();
    return single < 0
        ? new long[] {imageRow(index), textRow(index)}
        : new long[] {(long) OF_A_SINGLE_BLOCK * single};
  }

  /** How many rows there are from each of {@link #firstRows} on. */
  int rowsOf(int index) {
    return index < streams.doubleBlocks() ? OF_A_DOUBLE_BLOCK : OF_A_SINGLE_BLOCK;
  }

  private int imageRow(int index) {
    return OF_A_SINGLE_BLOCK * streams.singleBlocks() + OF_A_DOUBLE_BLOCK * index;
  }

  private int textRow(int index) {
    return imageRow(streams.doubleBlocks()) + OF_A_DOUBLE_BLOCK * index;
  }

  /**
   * Read from {@code transformer/config.json}.
   *
   * @throws ModelException naming the setting that is missing or not supported
   */
  static ChromaConfig from(ComponentConfig config) {
    return new ChromaConfig(
        StreamConfig.from(config),
        config.getInt("approximator_num_channels", 64),
        config.getInt("approximator_hidden_dim", 5120),
        config.getInt("approximator_layers", 5));
  }
}
