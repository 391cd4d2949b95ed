package io.xfuser.internal.plan;

import io.xfuser.config.InputConfig;
import io.xfuser.config.RuntimeConfig;
import io.xfuser.model.GenerationRequest;
import io.xfuser.torchscript.ElementType;

/** What was asked for, by the settings that make it large, and what needs less. */
final class Asked {
  static final String SMALLER = "a smaller picture";

  private static final String HALF = " or " + RuntimeConfig.DTYPE.with(ElementType.BFLOAT16);

  static final String LESS_DENOISING = SMALLER + ", more ranks, fewer pictures at a time" + HALF;

  static final String LESS_DECODING =
      "%s, %s, %s, %s"
              .formatted(
                  SMALLER,
                  RuntimeConfig.ENABLE_TILING,
                  RuntimeConfig.ENABLE_SLICING,
                  RuntimeConfig.USE_PARALLEL_VAE)
          + HALF;

  static final String LESS_ENCODING =
      "%s, %s, %s".formatted(SMALLER, RuntimeConfig.ENABLE_TILING, RuntimeConfig.USE_PARALLEL_VAE)
          + HALF;

  private Asked() {}

  static String text(GenerationRequest request) {
    return "%d tokens of text (%s)"
        .formatted(request.text().maxSequenceLength(), InputConfig.MAX_SEQUENCE_LENGTH);
  }

  static String pictures(GenerationRequest request) {
    GenerationRequest.Size size = request.size();
    int images = request.images();
    int frames = request.latents().pixelFrames();
    String pixels = "%d × %d pixels (height × width)".formatted(size.height(), size.width());
    String each =
        frames > 1
            ? "%d frames (%s) of ".formatted(frames, InputConfig.NUM_FRAMES) + pixels
            : pixels;
    return images > 1
        ? "%d pictures (%s %d) of "
                .formatted(
                    images, InputConfig.NUM_IMAGES_PER_PROMPT, request.input().numImagesPerPrompt())
            + each
        : each;
  }
}
