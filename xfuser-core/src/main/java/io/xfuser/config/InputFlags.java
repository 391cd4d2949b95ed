package io.xfuser.config;

import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** What one call asks for, as written. */
final class InputFlags {
  @Option(
      names = "--prompt",
      arity = "1..*",
      paramLabel = "TEXT",
      description = "One or several prompts, a picture for each (default: none)")
  List<String> prompt = List.of();

  @Option(
      names = "--negative_prompt",
      arity = "1..*",
      paramLabel = "TEXT",
      description = "What to avoid: one for all prompts, or one per prompt" + Flags.OWN)
  List<String> negativePrompt = List.of();

  @Option(names = "--height", paramLabel = "PIXELS", description = "Height" + Flags.OWN)
  @Nullable Integer height;

  @Option(names = "--width", paramLabel = "PIXELS", description = "Width" + Flags.OWN)
  @Nullable Integer width;

  @Option(
      names = "--num_frames",
      paramLabel = "N",
      description = "Frames of the video, for video models" + Flags.OWN)
  @Nullable Integer numFrames;

  @Option(
      names = "--num_inference_steps",
      paramLabel = "N",
      description = "Denoising steps" + Flags.OWN)
  @Nullable Integer numInferenceSteps;

  @Option(
      names = "--guidance_scale",
      paramLabel = "X",
      description = "Weight of the prompt; 1 and below is no guidance" + Flags.OWN)
  @Nullable Double guidanceScale;

  @Option(
      names = "--do_classifier_free_guidance",
      description = "Insist on guidance (default: as the guidance scale says)")
  boolean doClassifierFreeGuidance;

  @Option(
      names = "--guidance_rescale",
      paramLabel = "X",
      description = "Scales guided predictions back towards the conditional one" + Flags.OWN)
  @Nullable Double guidanceRescale;

  @Option(
      names = "--true_cfg_scale",
      paramLabel = "X",
      description = "Weight against the negative prompt in guidance-distilled models" + Flags.OWN)
  @Nullable Double trueCfgScale;

  @Option(
      names = "--eta",
      paramLabel = "X",
      description = "Share of fresh noise in DDIM steps, 0 to 1" + Flags.OWN)
  @Nullable Double eta;

  @Option(
      names = "--max_sequence_length",
      paramLabel = "TOKENS",
      description = "Text tokens; longer prompts are cut" + Flags.OWN)
  @Nullable Integer maxSequenceLength;

  @Option(
      names = "--num_images_per_prompt",
      paramLabel = "N",
      description = "Pictures for each prompt (default: 1)")
  int numImagesPerPrompt = 1;

  @Option(
      names = "--seed",
      paramLabel = "N",
      converter = Flags.SeedConverter.class,
      description = "Seed of the noise, from -2^63 to 2^64-1 as torch takes them (default: 42)")
  long seed = 42;

  @Option(
      names = "--no_use_resolution_binning",
      description =
          "Draw in exactly this size, not in the nearest one of the training"
              + " (default: binning where the model has it)")
  boolean noUseResolutionBinning;

  @Option(
      names = "--no_clean_caption",
      description = "Take prompts as they are (default: cleaned where diffusers cleans them)")
  boolean noCleanCaption;

  @Option(
      names = "--class_labels",
      arity = "1..*",
      paramLabel = "N",
      description = "ImageNet classes, for models that draw classes (default: none)")
  List<Integer> classLabels = List.of();
}
