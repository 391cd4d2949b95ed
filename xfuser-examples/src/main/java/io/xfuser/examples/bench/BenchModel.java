package io.xfuser.examples.bench;

import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.config.InputConfigBuilder;
import io.xfuser.config.ModelConfig;
import io.xfuser.model.GenerationRequest;
import io.xfuser.model.LatentShape;
import io.xfuser.model.PipelineModel;
import io.xfuser.pipeline.DiffusionPipeline;
import io.xfuser.torchscript.ElementType;
import io.xfuser.transformer.TransformerSpec;
import io.xfuser.weights.Placement;
import java.nio.file.Path;
import java.util.List;

/** A pipeline whose transformer's step is measured. */
record BenchModel(DiffusionPipeline pipeline) implements AutoCloseable {
  /** Opens a directory as diffusers writes it. */
  static BenchModel open(Path directory, ElementType type) {
    return new BenchModel(
        DiffusionPipeline.fromPretrained(
            EngineConfig.builder(ModelConfig.builder(directory).build())
                .runtime(r -> r.dtype(type))
                .build()));
  }

  TransformerSpec<?> transformer(Placement placement) {
    return pipeline.model().transformer(placement);
  }

  /** A request for a picture, or a video, of the latents that {@code input} has. */
  GenerationRequest request(StepInput input) {
    PipelineModel<?> model = pipeline.model();
    InputConfigBuilder asked = InputConfig.builder();
    if (model.settings().contains(InputConfig.PROMPT)) {
      asked.prompts("a fox");
    } else {
      asked.classLabels(List.of(0));
    }
    if (model.settings().contains(InputConfig.USE_RESOLUTION_BINNING)) {
      asked.useResolutionBinning(false);
    }
    GenerationRequest usual = model.resolve(asked.build());
    LatentShape latents = usual.latents();
    if (latents.isVideo()) {
      int later = Math.max(1, latents.frames() - 1); // often several frames are one of latents
      int each = Math.max(1, (latents.pixelFrames() - 1) / later);
      asked.numFrames((input.frames(latents.layout()) - 1) * each + 1);
    }
    if (model.settings().contains(InputConfig.HEIGHT)) {
      int scale = usual.size().height() / latents.height();
      asked.size(scale * input.height(), scale * input.width());
    }
    return model.resolve(asked.build());
  }

  @Override
  public void close() {
    pipeline.close();
  }
}
