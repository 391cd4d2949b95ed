package io.xfuser.models.contract;

import io.xfuser.config.InputConfig;
import io.xfuser.config.ModelConfig;
import io.xfuser.config.ParallelConfig;
import io.xfuser.pipeline.DiffusionPipeline;
import io.xfuser.pipeline.GenerationRequest;
import java.nio.file.Path;
import java.util.List;

/** What users ask tiny pipelines for, and what pipelines make of it. */
public final class Requests {
  private static final ParallelConfig SERIAL = ParallelConfig.serial();

  /** Layouts with every method, up to 8 ranks. */
  public static final List<ParallelConfig> HYBRIDS =
      List.of(
          SERIAL,
          SERIAL.withUlysses(3),
          SERIAL.withTensor(2).withCfg(2),
          SERIAL.withPipefusion(2).withPatches(3),
          SERIAL.withData(2).withPipefusion(2).withUlysses(2),
          SERIAL.withData(2).withCfg(2).withRing(2));

  private Requests() {}

  /** The tiny pipeline {@code model}. */
  public static Path directory(String model) {
    return DiffusersCall.FIXTURES.resolve(model);
  }

  /** Two small pictures of different prompts, or two videos, of any tiny pipeline. */
  public static InputConfig two(String model) {
    if (model.startsWith("dit")) {
      return InputConfig.of().withClassLabels(List.of(1, 7));
    }
    InputConfig two = InputConfig.of("a red fox", "two blue boats");
    if (model.startsWith("latte")) {
      return two.withSize(32, 48);
    }
    if (model.startsWith("hunyuandit")) { // its two texts have lengths of their own
      return two.withSize(112, 144).withGuidance(2).withResolutionBinning(false);
    }
    InputConfig picture = two.withSize(80, 112).withMaxSequenceLength(20);
    if (model.startsWith("flux_dev")) {
      return picture.withNegative("blurry").withTrueCfgScale(3);
    }
    return model.startsWith("pixart") ? picture.withResolutionBinning(false) : picture;
  }

  /** The request that the pipeline in {@code directory} makes of {@code input}, or its refusal. */
  public static GenerationRequest resolve(Path directory, InputConfig input) {
    try (DiffusionPipeline pipeline = DiffusionPipeline.fromPretrained(ModelConfig.of(directory))) {
      return pipeline.model().resolve(input);
    }
  }
}
