package io.xfuser.models.video;

import io.xfuser.config.InputConfig;
import io.xfuser.model.GenerationRequest;
import io.xfuser.model.GenerationRequest.Defaults;
import io.xfuser.model.LatentShape;
import io.xfuser.model.PipelineComponents;
import io.xfuser.model.PipelineModel;
import io.xfuser.model.PipelineProvider;
import io.xfuser.models.contract.DirectoryCopy;
import io.xfuser.models.contract.Requests;
import io.xfuser.transformer.TransformerSpec;
import io.xfuser.weights.Placement;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ServiceLoader;
import java.util.Set;

/** Opens directories of PixArt whose transformer is a {@link VideoDiT} instead. */
public final class VideoPipelines implements PipelineProvider {
  /** F. */
  static final int FRAMES = 6;

  private static final String OWN = "VideoDiTPipeline";
  private static final String OTHER = "PixArtSigmaPipeline";

  /** The same {@code directory}, where such a pipeline is written if it is empty. */
  static Path in(Path directory) {
    try {
      if (!Files.exists(directory.resolve("model_index.json"))) {
        DirectoryCopy copy = DirectoryCopy.of(Requests.directory("pixart_sigma_tiny"), directory);
        copy.rewrite("model_index.json", OTHER, OWN);
        copy.rewrite("model_index.json", "DPMSolverMultistep", "FlowMatchEulerDiscrete");
        Files.writeString(directory.resolve("scheduler/scheduler_config.json"), "{}");
      }
      return directory;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Two videos of 27 tokens, with prompts of unequal length. */
  static InputConfig input() {
    return InputConfig.builder("a red fox", "two blue boats on a green lake")
        .size(48, 48)
        .maxSequenceLength(20)
        .guidanceScale(2)
        .useResolutionBinning(false)
        .build();
  }

  @Override
  public Set<String> classNames() {
    return Set.of(OWN);
  }

  @Override
  public PipelineModel<?> open(PipelineComponents components) {
    return ServiceLoader.load(PipelineProvider.class).stream()
        .map(ServiceLoader.Provider::get)
        .filter(provider -> provider.classNames().contains(OTHER))
        .<PipelineModel<?>>map(provider -> new VideoModel(provider.open(components)))
        .findFirst()
        .orElseThrow();
  }

  private record VideoModel(PipelineModel<?> model)
      implements PipelineModel.Forwarding<VideoConditioning> {
    @Override
    public String name() {
      return "video";
    }

    @Override
    public GenerationRequest resolve(InputConfig input) {
      GenerationRequest picture = model.resolve(input);
      LatentShape latents =
          new LatentShape(
              VideoDiT.CHANNELS,
              FRAMES,
              picture.latents().height(),
              picture.latents().width(),
              VideoDiT.PATCH,
              LatentShape.Layout.VIDEO);
      return GenerationRequest.of(
          input,
          picture.size(),
          latents,
          new Defaults(3, 2, picture.text().maxSequenceLength(), false));
    }

    @Override
    public TransformerSpec<VideoConditioning> transformer(Placement placement) {
      return new VideoDiT(new RandomWeights());
    }
  }
}
