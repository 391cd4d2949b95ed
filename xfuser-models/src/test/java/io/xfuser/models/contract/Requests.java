package io.xfuser.models.contract;

import io.xfuser.config.InputConfig;
import io.xfuser.config.ModelConfig;
import io.xfuser.config.ParallelConfig;
import io.xfuser.config.Picture;
import io.xfuser.model.GenerationRequest;
import io.xfuser.pipeline.DiffusionPipeline;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;

/** What users ask tiny pipelines for, and what pipelines make of it. */
public final class Requests {
  private static final ParallelConfig SERIAL = ParallelConfig.serial();

  /** Layouts with every method, up to 8 ranks. */
  public static final List<ParallelConfig> HYBRIDS =
      List.of(
          SERIAL,
          SERIAL.toBuilder().ulyssesDegree(3).build(),
          SERIAL.toBuilder().tensorDegree(2).cfgDegree(2).build(),
          SERIAL.toBuilder().pipefusionDegree(2).numPipelinePatch(3).build(),
          SERIAL.toBuilder().dataDegree(2).pipefusionDegree(2).ulyssesDegree(2).build(),
          SERIAL.toBuilder().dataDegree(2).cfgDegree(2).ringDegree(2).build());

  private Requests() {}

  /** The tiny pipeline {@code model}. */
  public static Path directory(String model) {
    return DiffusersCall.FIXTURES.resolve(model);
  }

  /** A copy of {@code flux} in {@code scratch} whose transformer refers to a picture. */
  public static Path kontext(Path flux, Path scratch) {
    Path directory = scratch.resolve("flux_kontext_tiny");
    try {
      if (!Files.exists(directory)) {
        DirectoryCopy.of(flux, directory)
            .rewrite("model_index.json", "\"FluxPipeline\"", "\"FluxKontextPipeline\"");
      }
      return directory;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The tiny Qwen-Image as a pipeline of another class, whose autoencoder makes few tokens. */
  static DirectoryCopy qwenImageEdit(Path directory, String pipeline) throws IOException {
    DirectoryCopy copy = DirectoryCopy.of(directory("qwenimage_tiny"), directory);
    copy.rewrite("model_index.json", "\"QwenImagePipeline\"", '"' + pipeline + '"');
    DirectoryCopy.delete(directory.resolve("vae"));
    for (String part : List.of("vae", "processor")) {
      DirectoryCopy.of(directory("qwenimage_edit").resolve(part), directory.resolve(part));
    }
    return copy;
  }

  /** {@code input}, which has a size, referring to a picture of 28 tokens in its own size. */
  public static InputConfig referring(InputConfig input) {
    int height = Objects.requireNonNull(input.height());
    int width = Objects.requireNonNull(input.width());
    return input.toBuilder()
        .image(Picture.of(DiffusersCall.FIXTURES.resolve("reference/kontext/hills.png")))
        .maxArea(height * width)
        .autoResize(false)
        .build();
  }

  /** Two small pictures of different prompts, or two videos, of any tiny pipeline. */
  public static InputConfig two(String model) {
    if (model.startsWith("dit")) {
      return InputConfig.builder().classLabels(List.of(1, 7)).build();
    }
    InputConfig two = InputConfig.builder("a red fox", "two blue boats").build();
    if (model.startsWith("latte")) {
      return two.toBuilder().size(32, 48).build();
    }
    if (model.startsWith("wan")) {
      return two.toBuilder().size(48, 80).numFrames(5).maxSequenceLength(20).build();
    }
    if (model.startsWith("hunyuandit")) { // its two texts have lengths of their own
      return two.toBuilder().size(112, 144).guidanceScale(2).useResolutionBinning(false).build();
    }
    if (model.startsWith("sana")) { // 35 tokens, too
      return two.toBuilder()
          .size(160, 224)
          .maxSequenceLength(20)
          .useResolutionBinning(false)
          .build();
    }
    InputConfig picture = two.toBuilder().size(80, 112).maxSequenceLength(20).build();
    if (model.startsWith("flux_dev")) {
      return picture.toBuilder().negativePrompts("blurry").trueCfgScale(3).build();
    }
    return model.startsWith("pixart")
        ? picture.toBuilder().useResolutionBinning(false).build()
        : picture;
  }

  /** The request that the pipeline in {@code directory} makes of {@code input}, or its refusal. */
  public static GenerationRequest resolve(Path directory, InputConfig input) {
    try (DiffusionPipeline pipeline =
        DiffusionPipeline.fromPretrained(ModelConfig.builder(directory).build())) {
      return pipeline.model().resolve(input);
    }
  }
}
