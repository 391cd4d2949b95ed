package io.xfuser.examples.quality;

import io.xfuser.cli.quality.VideoFidelity;
import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.config.InputConfigBuilder;
import io.xfuser.pipeline.DiffusionPipeline;
import io.xfuser.pipeline.Generation;
import io.xfuser.pipeline.XDiTParallel;
import java.awt.image.BufferedImage;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.IntStream;

/**
 * Prompts that are drawn in batches, each with a seed of its own.
 *
 * @param texts the prompts
 * @param batch pictures of a request
 * @param guidance of all pictures
 */
record PromptBatches(List<String> texts, int batch, double guidance) {
  /** A request for each batch, in {@code steps} steps, and with what {@code more} sets. */
  List<InputConfig> requests(int steps, Consumer<InputConfigBuilder> more) {
    return IntStream.range(0, (texts.size() + batch - 1) / batch)
        .mapToObj(i -> request(i, steps, more))
        .toList();
  }

  private InputConfig request(int number, int steps, Consumer<InputConfigBuilder> more) {
    List<String> own = texts.subList(number * batch, Math.min((number + 1) * batch, texts.size()));
    InputConfigBuilder request =
        InputConfig.builder(own.toArray(String[]::new))
            .seed(number)
            .numInferenceSteps(steps)
            .guidanceScale(guidance)
            .useResolutionBinning(false);
    more.accept(request);
    return request.build();
  }

  /** The pictures or videos of {@code requests}. */
  static Drawn draw(DiffusionPipeline pipeline, EngineConfig engine, List<InputConfig> requests) {
    List<List<BufferedImage>> pictures = new ArrayList<>();
    double spared = 0;
    try (XDiTParallel ranks = XDiTParallel.inProcess(pipeline, engine)) {
      for (InputConfig request : requests) {
        try (Generation generation = ranks.generate(request)) {
          List<BufferedImage> images =
              generation.images().stream()
                  .map(image -> (BufferedImage) image.getWrappedImage())
                  .toList();
          int frames = generation.frames();
          for (int i = 0; i < images.size(); i += frames) {
            pictures.add(images.subList(i, i + frames));
            spared += generation.report().ranks().get(0).sparedPasses();
          }
        }
      }
    }
    return new Drawn(pictures, spared / pictures.size());
  }

  /**
   * What was drawn.
   *
   * @param pictures in the prompts' order, the frames of each
   * @param spared passes through the blocks that a step cache spared, in the mean
   */
  record Drawn(List<List<BufferedImage>> pictures, double spared) {
    /** How near {@code others} are, picture by picture. */
    List<VideoFidelity> compared(Drawn others) {
      return IntStream.range(0, pictures.size())
          .mapToObj(i -> VideoFidelity.of(pictures.get(i), others.pictures().get(i)))
          .toList();
    }
  }
}
