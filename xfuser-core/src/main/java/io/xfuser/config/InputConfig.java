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
public final class InputConfig extends InputSettings {
  /** What the names begin with of what is avoided: arguments, and the tensors made of them. */
  public static final String NEGATIVE = "negative_";

  private static final List<Setting<?>> CACHES =
      List.of(CACHE_THRESHOLD, CACHE_WARMUP_STEPS, CACHE_MAX_CONTINUOUS, CACHE_WHOLE_PICTURE);

  InputConfig(InputConfigBuilder builder) {
    super(builder);
    if (!prompts().isEmpty() && !classLabels().isEmpty()) {
      throw new ArgumentException(
          "%s and %s exclude each other: a model takes the one or the other, but there are %d and %d"
              .formatted(PROMPT, CLASS_LABELS, prompts().size(), classLabels().size()));
    }
    if (has(SEED) && !seeds().isEmpty()) {
      throw new ArgumentException(SEEDS + " and " + SEED + " exclude each other");
    }
    for (Setting<List<String>> texts :
        List.of(NEGATIVE_PROMPT, PROMPT_2, PROMPT_3, NEGATIVE_PROMPT_2, NEGATIVE_PROMPT_3)) {
      requireForAll(texts);
    }
    if (maskImage() != null && image() == null) {
      throw new ArgumentException(MASK_IMAGE + " needs " + IMAGE + ", of which it is a mask");
    }
    if (has(LAST_IMAGE) && image() == null) {
      throw new ArgumentException(LAST_IMAGE + " needs " + IMAGE + ", which the video begins with");
    }
    if (image() == null && has(STRENGTH)) {
      throw new ArgumentException(STRENGTH + " needs " + IMAGE + ", which is not given");
    }
    if (maskImage() == null && has(PADDING_MASK_CROP)) {
      throw new ArgumentException(PADDING_MASK_CROP + " needs " + MASK_IMAGE + ", to crop to");
    }
    for (Setting<?> setting : CACHES) {
      if (has(setting) && cache() == StepCache.NONE) {
        throw new ArgumentException(
            setting + " needs " + CACHE + ", of which it is a part, but there is none");
      }
    }
    if (doClassifierFreeGuidance() && switchesGuidanceOff()) {
      throw new ArgumentException(
          DO_CLASSIFIER_FREE_GUIDANCE
              + " needs guidance, but guidance_scale "
              + guidanceScale()
              + " switches it off");
    }
  }

  private void requireForAll(Setting<List<String>> texts) {
    int given = listed(texts).size();
    if (given > 1 && given != prompts().size()) {
      throw new ArgumentException(
          "there must be no %s, one, or one per prompt, but there are %d for %d prompt%s"
              .formatted(texts, given, prompts().size(), prompts().size() == 1 ? "" : "s"));
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

  /** The picture to start from, the first of several to look at; {@code null} = none. */
  public @Nullable Picture image() {
    return images().isEmpty() ? null : images().get(0);
  }

  /** All pictures to look at; empty = none. */
  public List<Picture> images() {
    return Objects.requireNonNullElse(get(IMAGE), List.of());
  }

  /** White where {@link #image} is drawn anew; {@code null} = everywhere. */
  public @Nullable Picture maskImage() {
    return get(MASK_IMAGE);
  }

  /** How much of {@link #image} is noise at first, 0 to 1; {@code null} = the pipeline's own. */
  public @Nullable Double strength() {
    return get(STRENGTH);
  }

  /** Pixels around what the mask shows that are drawn too; {@code null} = the whole picture is. */
  public @Nullable Integer paddingMaskCrop() {
    return get(PADDING_MASK_CROP);
  }

  /**
   * The LoRAs of this request alone, of a pipeline that lets requests choose; {@code null} = those
   * of the pipeline.
   */
  public @Nullable List<String> loras() {
    return get(LORA);
  }

  /** Pixels of the picture; {@code null} = the pipeline's own. */
  public @Nullable Integer maxArea() {
    return get(MAX_AREA);
  }

  /**
   * Whether {@link #image} is seen in a size of the training; {@code null} = the pipeline's own.
   */
  public @Nullable Boolean autoResize() {
    return get(AUTO_RESIZE);
  }

  /** How steps are spared. */
  public StepCache cache() {
    return value(CACHE);
  }

  /** Whether a step cache decides for all patches of PipeFusion together. */
  public boolean cachesWholePicture() {
    return value(CACHE_WHOLE_PICTURE);
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
