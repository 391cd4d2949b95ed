package io.xfuser.model;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.config.InputConfig;
import io.xfuser.internal.picture.Bitmap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Everything between a prompt and the tensors that the transformer is conditioned on. Where several
 * ranks have shares of it, they call it together, with the same request.
 */
public interface TextEncoder extends AutoCloseable {
  /**
   * Encodes.
   *
   * @return tensors by name, one row for each of the pictures in {@code request}; those of negative
   *     prompts have the prefix {@code negative_}; of a share other than the first, only those that
   *     it has a part in
   */
  Map<String, NDArray> encode(NDManager owner, TextRequest request);

  /**
   * Whether it heeds {@link TextRequest#apart}; others get prompts and negative prompts in turn.
   */
  default boolean keepsApart() {
    return false;
  }

  /** Bytes of the weights that are loaded here. */
  long parameterBytes();

  @Override
  void close();

  /**
   * How text is prepared.
   *
   * @param maxSequenceLength tokens; longer prompts are cut
   * @param cleanCaption whether prompts are cleaned as the training captions were
   * @param clipSkip layers left out at the end, where prompts alone are encoded by inner states
   * @param maskFeature whether padding is cut off, by pipelines that may leave it
   * @param outLayers layers whose states stand side by side; empty: those of the pipeline
   * @param instruction lines before a prompt that tell a language model what to make of it; null
   *     for the pipeline's own
   */
  record TextOptions(
      int maxSequenceLength,
      boolean cleanCaption,
      int clipSkip,
      boolean maskFeature,
      List<Integer> outLayers,
      @Nullable List<String> instruction) {
    public TextOptions {
      outLayers = List.copyOf(outLayers);
    }

    /**
     * What {@code input} asks for.
     *
     * @param usualLength tokens, where nothing is said
     * @param usuallyClean whether prompts are cleaned then
     */
    public static TextOptions of(InputConfig input, int usualLength, boolean usuallyClean) {
      return new TextOptions(
          Objects.requireNonNullElse(input.maxSequenceLength(), usualLength),
          Objects.requireNonNullElse(input.cleanCaption(), usuallyClean),
          Objects.requireNonNullElse(input.get(InputConfig.CLIP_SKIP), 0),
          !Boolean.FALSE.equals(input.get(InputConfig.MASK_FEATURE)),
          input.listed(InputConfig.TEXT_ENCODER_OUT_LAYERS),
          input.get(InputConfig.COMPLEX_HUMAN_INSTRUCTION));
    }

    /** All layers, no padding, and the pipeline's own instruction. */
    public TextOptions(int maxSequenceLength, boolean cleanCaption) {
      this(maxSequenceLength, cleanCaption, 0, true, List.of(), null);
    }
  }

  /** What sees pictures that are prompts, apart from the encoders of texts. */
  interface PictureEncoder extends AutoCloseable {
    /**
     * What pictures that are prompts are seen as.
     *
     * @param pictures those that one adapter sees; none: the tensor is what stands for no picture
     * @return (1, pictures or their tokens, …), owned by {@code owner}; as many as of one picture
     *     where there are none
     */
    NDArray see(NDManager owner, List<Bitmap> pictures);

    /** Bytes of the weights that are loaded here. */
    long parameterBytes();

    @Override
    void close();
  }
}
