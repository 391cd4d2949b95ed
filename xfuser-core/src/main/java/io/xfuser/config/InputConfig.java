package io.xfuser.config;

import io.xfuser.failure.ArgumentException;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What one call asks for: {@code InputConfig.builder("a fox").height(512).seed(7).build()}. What is
 * not given is the pipeline's own default; what can only be judged with the model at hand
 * (multiples of its patch, a missing prompt) is judged by the pipeline.
 */
public final class InputConfig extends Settings {
  private static final String OWN = "the pipeline's own";

  public static final Setting<List<String>> PROMPT =
      Setting.of(
          "prompt",
          Kind.listOf(Kind.string()),
          "TEXT",
          "One or several prompts, a picture for each");

  public static final Setting<List<String>> NEGATIVE_PROMPT =
      Setting.of(
              "negative_prompt",
              Kind.listOf(Kind.string()),
              "TEXT",
              "What to avoid: one for all prompts, or one per prompt")
          .open(OWN);

  public static final Setting<Integer> HEIGHT =
      Setting.of("height", Kind.whole(1), "PIXELS", "Height of the pictures").open(OWN);

  public static final Setting<Integer> WIDTH =
      Setting.of("width", Kind.whole(1), "PIXELS", "Width of the pictures").open(OWN);

  public static final Setting<Integer> NUM_FRAMES =
      Setting.of("num_frames", Kind.whole(1), "N", "Frames of the video, for video models")
          .open(OWN);

  public static final Setting<Integer> NUM_INFERENCE_STEPS =
      Setting.of(
              "num_inference_steps",
              Kind.whole(1),
              "N",
              "Denoising steps, to which the time is proportional")
          .open(OWN);

  public static final Setting<Double> GUIDANCE_SCALE =
      Setting.of(
              "guidance_scale",
              Kind.number(),
              "X",
              "Weight of the prompt; 1 and below is no guidance, and half the work in most models")
          .open(OWN);

  public static final Setting<Boolean> DO_CLASSIFIER_FREE_GUIDANCE =
      Setting.of("do_classifier_free_guidance", Kind.truth(), "", "Insist on guidance")
          .or(false, "as the guidance scale says");

  public static final Setting<Double> GUIDANCE_RESCALE =
      Setting.of(
              "guidance_rescale",
              Kind.number(),
              "X",
              "Scales guided predictions back towards the conditional one")
          .open(OWN);

  public static final Setting<Double> TRUE_CFG_SCALE =
      Setting.of(
              "true_cfg_scale",
              Kind.number(),
              "X",
              "Weight against the negative prompt in guidance-distilled models; above 1 twice the"
                  + " work")
          .open(OWN);

  public static final Setting<Double> ETA =
      Setting.of("eta", Kind.number(0, 1), "X", "Share of fresh noise in DDIM steps, 0 to 1")
          .open(OWN);

  public static final Setting<Integer> MAX_SEQUENCE_LENGTH =
      Setting.of(
              "max_sequence_length", Kind.whole(1), "TOKENS", "Text tokens; longer prompts are cut")
          .open(OWN);

  public static final Setting<Integer> NUM_IMAGES_PER_PROMPT =
      Setting.of("num_images_per_prompt", Kind.whole(1), "N", "Pictures for each prompt").or(1);

  public static final Setting<Long> SEED =
      Setting.of(
              "seed",
              Kind.seed(),
              "N",
              "Seed of the noise, from -2^63 to 2^64-1 as torch takes them")
          .or(42L);

  public static final Setting<List<Long>> SEEDS =
      Setting.of("seeds", Kind.listOf(Kind.seed()), "N", "A seed for each picture, as if alone")
          .open("the one seed for all");

  public static final Setting<Boolean> USE_RESOLUTION_BINNING =
      Setting.of(
              "use_resolution_binning",
              Kind.truth(),
              "",
              "Draw in the nearest size of the training, then scale to the size asked for")
          .open("where the model has it");

  public static final Setting<Boolean> CLEAN_CAPTION =
      Setting.of("clean_caption", Kind.truth(), "", "Clean prompts as the training captions were")
          .open("where diffusers does");

  public static final Setting<List<Integer>> CLASS_LABELS =
      Setting.of(
          "class_labels",
          Kind.listOf(Kind.whole(0)),
          "N",
          "ImageNet classes, for models that draw classes");

  public static final Setting<OutputType> OUTPUT_TYPE =
      Setting.of(
              "output_type",
              Kind.oneOf(OutputType.class),
              "TYPE",
              "pil: pictures; pt: their pixels as a tensor; latent: latents, not decoded")
          .or(OutputType.PIL);

  public static final List<Setting<?>> SETTINGS =
      List.of(
          PROMPT,
          NEGATIVE_PROMPT,
          HEIGHT,
          WIDTH,
          NUM_FRAMES,
          NUM_INFERENCE_STEPS,
          GUIDANCE_SCALE,
          DO_CLASSIFIER_FREE_GUIDANCE,
          GUIDANCE_RESCALE,
          TRUE_CFG_SCALE,
          ETA,
          MAX_SEQUENCE_LENGTH,
          NUM_IMAGES_PER_PROMPT,
          SEED,
          SEEDS,
          USE_RESOLUTION_BINNING,
          CLEAN_CAPTION,
          CLASS_LABELS,
          OUTPUT_TYPE);

  InputConfig(InputConfigBuilder builder) {
    super(builder);
    if (!prompts().isEmpty() && !classLabels().isEmpty()) {
      throw new ArgumentException(
          "a model takes prompts or class labels, but there are %d of the one and %d of the other"
              .formatted(prompts().size(), classLabels().size()));
    }
    if (has(SEED) && !seeds().isEmpty()) {
      throw new ArgumentException(SEEDS + " must not be given together with a seed for all");
    }
    int negatives = negativePrompts().size();
    if (negatives > 1 && negatives != prompts().size()) {
      throw new ArgumentException(
          "there must be no negative prompt, one, or one per prompt, but there are %d for %d prompt%s"
              .formatted(negatives, prompts().size(), prompts().size() == 1 ? "" : "s"));
    }
    if (doClassifierFreeGuidance() && switchesGuidanceOff()) {
      throw new ArgumentException(
          DO_CLASSIFIER_FREE_GUIDANCE
              + " needs guidance, but guidance_scale "
              + guidanceScale()
              + " switches it off");
    }
  }

  /** A request for a picture of each prompt, with everything else as the pipeline has it. */
  public static InputConfigBuilder builder(String... prompts) {
    return new InputConfigBuilder().prompts(prompts);
  }

  /** A builder that starts from these values. */
  public InputConfigBuilder toBuilder() {
    return new InputConfigBuilder(this);
  }

  @Override
  public List<Setting<?>> settings() {
    return SETTINGS;
  }

  /** What is drawn, one text per picture before {@link #numImagesPerPrompt}; may be empty. */
  public List<String> prompts() {
    return Objects.requireNonNullElse(get(PROMPT), List.of());
  }

  /** What is avoided: nothing, one text for all prompts, or one per prompt. */
  public List<String> negativePrompts() {
    return Objects.requireNonNullElse(get(NEGATIVE_PROMPT), List.of());
  }

  /** Height of the pictures in pixels; {@code null} = the pipeline's own. */
  public @Nullable Integer height() {
    return get(HEIGHT);
  }

  /** Their width. */
  public @Nullable Integer width() {
    return get(WIDTH);
  }

  /** Frames of the video; {@code null} = the pipeline's own number. */
  public @Nullable Integer numFrames() {
    return get(NUM_FRAMES);
  }

  /** Denoising steps; {@code null} = the pipeline's own number. */
  public @Nullable Integer numInferenceSteps() {
    return get(NUM_INFERENCE_STEPS);
  }

  /** Weight of the prompt; {@code null} = the pipeline's own. */
  public @Nullable Double guidanceScale() {
    return get(GUIDANCE_SCALE);
  }

  /** Whether settings that switch guidance off are refused. */
  public boolean doClassifierFreeGuidance() {
    return value(DO_CLASSIFIER_FREE_GUIDANCE);
  }

  /** How far guided predictions are scaled back; {@code null} = not at all. */
  public @Nullable Double guidanceRescale() {
    return get(GUIDANCE_RESCALE);
  }

  /** Weight against the negative prompt in guidance-distilled models; {@code null} = none. */
  public @Nullable Double trueCfgScale() {
    return get(TRUE_CFG_SCALE);
  }

  /** Share of fresh noise in a DDIM step, 0 to 1; {@code null} = 0. */
  public @Nullable Double eta() {
    return get(ETA);
  }

  /** Text tokens; {@code null} = the pipeline's own number. */
  public @Nullable Integer maxSequenceLength() {
    return get(MAX_SEQUENCE_LENGTH);
  }

  /** Pictures for each prompt, at least 1. */
  public int numImagesPerPrompt() {
    return value(NUM_IMAGES_PER_PROMPT);
  }

  /** Seed of the noise of all pictures, where each has none of its own. */
  public long seed() {
    return value(SEED);
  }

  /** Seeds of the pictures in their order; empty = {@link #seed} for all. */
  public List<Long> seeds() {
    return Objects.requireNonNullElse(get(SEEDS), List.of());
  }

  /** Whether sizes are mapped to trained ones; {@code null} = where the model has it. */
  public @Nullable Boolean useResolutionBinning() {
    return get(USE_RESOLUTION_BINNING);
  }

  /** Whether prompts are cleaned; {@code null} = where diffusers does. */
  public @Nullable Boolean cleanCaption() {
    return get(CLEAN_CAPTION);
  }

  /** ImageNet classes, one per picture; empty for models that draw prompts. */
  public List<Integer> classLabels() {
    return Objects.requireNonNullElse(get(CLASS_LABELS), List.of());
  }

  /** Pictures or latents. */
  public OutputType outputType() {
    return value(OUTPUT_TYPE);
  }

  /** Whether sizes are mapped to trained ones where the pipeline does so if nothing is said. */
  public boolean binsResolution() {
    return !Boolean.FALSE.equals(useResolutionBinning());
  }

  /** Whether the scales that were given switch guidance off, whatever the model. */
  public boolean switchesGuidanceOff() {
    Double scale = guidanceScale();
    Double trueCfg = trueCfgScale();
    return scale != null && scale <= 1 && (trueCfg == null || trueCfg <= 1);
  }
}
