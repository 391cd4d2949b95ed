package io.xfuser.config;

import io.xfuser.failure.ArgumentException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What one call asks for. {@code null} stands for the pipeline's own default; what can only be
 * judged with the model at hand (multiples of its patch, a missing prompt) is judged by the
 * pipeline.
 *
 * @param prompts one per picture, before {@code numImagesPerPrompt}; empty for models that draw
 *     classes, or where prompt embeddings are given with the call
 * @param negativePrompts none, one for all prompts, or one per prompt
 * @param height of the picture in pixels
 * @param width of the picture in pixels
 * @param numFrames of the video
 * @param numInferenceSteps denoising steps
 * @param guidanceScale weight of the prompt; guidance is off at 1 and below
 * @param maxSequenceLength text tokens, longer prompts are cut
 * @param numImagesPerPrompt pictures for each prompt
 * @param seed of the noise, the same picture for every layout of ranks; all 64 bits of what torch's
 *     {@code manual_seed} takes, its seeds from 2⁶³ to 2⁶⁴ − 1 being the negative ones here ({@link
 *     Long#parseUnsignedLong})
 * @param useResolutionBinning sizes are mapped to the ones the model was trained on, and the
 *     picture is resized and cropped to the size asked for
 * @param cleanCaption prompts are cleaned as the training captions were
 * @param classLabels ImageNet classes, one per picture, for models that draw classes
 * @param guidanceRescale how far the guided prediction is scaled back to the deviation of the
 *     conditional one (arXiv 2305.08891, section 3.4)
 * @param eta share of fresh noise in a DDIM step, 0 to 1 (arXiv 2010.02502, eq. 16)
 * @param trueCfgScale weight of the prompt against the negative one in guidance-distilled models
 * @param doClassifierFreeGuidance guidance is demanded: settings that switch it off are rejected;
 *     {@code false} = as the scale says
 * @param outputType pictures or latents
 */
public record InputConfig(
    List<String> prompts,
    List<String> negativePrompts,
    @Nullable Integer height,
    @Nullable Integer width,
    @Nullable Integer numFrames,
    @Nullable Integer numInferenceSteps,
    @Nullable Double guidanceScale,
    @Nullable Integer maxSequenceLength,
    int numImagesPerPrompt,
    long seed,
    @Nullable Boolean useResolutionBinning,
    @Nullable Boolean cleanCaption,
    List<Integer> classLabels,
    @Nullable Double guidanceRescale,
    @Nullable Double eta,
    @Nullable Double trueCfgScale,
    boolean doClassifierFreeGuidance,
    OutputType outputType) {

  /**
   * Checks the values against each other.
   *
   * @throws ArgumentException with the setting and its value
   */
  public InputConfig {
    prompts = List.copyOf(prompts);
    negativePrompts = List.copyOf(negativePrompts);
    classLabels = List.copyOf(classLabels);
    checkTexts(prompts, negativePrompts, classLabels);
    Check.atLeast(1, height, "the height");
    Check.atLeast(1, width, "the width");
    Check.atLeast(1, numFrames, "the number of frames");
    Check.atLeast(1, numInferenceSteps, "the number of inference steps");
    Check.atLeast(1, maxSequenceLength, "the maximum sequence length");
    Check.atLeast(1, numImagesPerPrompt, "the number of images per prompt");
    Check.finite(guidanceScale, "the guidance scale");
    Check.finite(guidanceRescale, "the guidance rescale");
    Check.finite(trueCfgScale, "the true CFG scale");
    if (eta != null && !(eta >= 0 && eta <= 1)) {
      throw new ArgumentException("eta must be between 0 and 1, but is " + eta);
    }
    if (doClassifierFreeGuidance && guidanceOff(guidanceScale, trueCfgScale)) {
      throw new ArgumentException(
          "classifier-free guidance is demanded, but the guidance scale "
              + guidanceScale
              + " switches it off");
    }
  }

  private static void checkTexts(
      List<String> prompts, List<String> negatives, List<Integer> labels) {
    for (int label : labels) {
      Check.atLeast(0, label, "a class label");
    }
    if (!prompts.isEmpty() && !labels.isEmpty()) {
      throw new ArgumentException(
          "a model takes prompts or class labels, but there are %d of the one and %d of the other"
              .formatted(prompts.size(), labels.size()));
    }
    if (negatives.size() > 1 && negatives.size() != prompts.size()) {
      throw new ArgumentException(
          "there must be no negative prompt, one, or one per prompt, but there are %d for %d prompt%s"
              .formatted(negatives.size(), prompts.size(), prompts.size() == 1 ? "" : "s"));
    }
  }

  private static boolean guidanceOff(@Nullable Double scale, @Nullable Double trueCfgScale) {
    return scale != null && scale <= 1 && (trueCfgScale == null || trueCfgScale <= 1);
  }

  /** Whether sizes are mapped to trained ones where the pipeline does so if nothing is said. */
  public boolean binsResolution() {
    return useResolutionBinning == null || useResolutionBinning;
  }

  /** Whether the scales that were given switch guidance off, whatever the model. */
  public boolean switchesGuidanceOff() {
    return guidanceOff(guidanceScale, trueCfgScale);
  }

  /** One picture per prompt, everything else as the pipeline has it, seed 42. */
  public static InputConfig of(String... prompts) {
    return builder(prompts).build();
  }

  /** To set several values at once. */
  public static InputConfigBuilder builder(String... prompts) {
    return new InputConfigBuilder().prompts(List.of(prompts));
  }

  /** A builder that starts from these values. */
  public InputConfigBuilder toBuilder() {
    return new InputConfigBuilder(this);
  }

  /** The same with other prompts. */
  public InputConfig withPrompts(String... texts) {
    return toBuilder().prompts(List.of(texts)).build();
  }

  /** The same with other negative prompts: none, one for all, or one per prompt. */
  public InputConfig withNegative(String... texts) {
    return toBuilder().negativePrompts(List.of(texts)).build();
  }

  /** The same in another size, pixels. */
  public InputConfig withSize(int newHeight, int newWidth) {
    return toBuilder().height(newHeight).width(newWidth).build();
  }

  /** The same with another number of video frames. */
  public InputConfig withFrames(int frames) {
    return toBuilder().numFrames(frames).build();
  }

  /** The same with another number of denoising steps. */
  public InputConfig withSteps(int steps) {
    return toBuilder().numInferenceSteps(steps).build();
  }

  /** The same with another guidance scale. */
  public InputConfig withGuidance(double scale) {
    return toBuilder().guidanceScale(scale).build();
  }

  /** The same with another seed. */
  public InputConfig withSeed(long newSeed) {
    return toBuilder().seed(newSeed).build();
  }

  /** The same with another number of pictures for each prompt. */
  public InputConfig withImagesPerPrompt(int images) {
    return toBuilder().numImagesPerPrompt(images).build();
  }

  /** The same with or without resolution binning. */
  public InputConfig withResolutionBinning(boolean binning) {
    return toBuilder().useResolutionBinning(binning).build();
  }

  /** The same with another number of text tokens. */
  public InputConfig withMaxSequenceLength(int tokens) {
    return toBuilder().maxSequenceLength(tokens).build();
  }

  /** The same with captions cleaned or not. */
  public InputConfig withCleanCaption(boolean clean) {
    return toBuilder().cleanCaption(clean).build();
  }

  /** The same for other classes. */
  public InputConfig withClassLabels(List<Integer> labels) {
    return toBuilder().classLabels(labels).build();
  }

  /** The same with another rescaling of the guided prediction. */
  public InputConfig withGuidanceRescale(double rescale) {
    return toBuilder().guidanceRescale(rescale).build();
  }

  /** The same with another share of fresh noise in DDIM steps. */
  public InputConfig withEta(double share) {
    return toBuilder().eta(share).build();
  }

  /** The same with another scale for guidance-distilled models. */
  public InputConfig withTrueCfgScale(double scale) {
    return toBuilder().trueCfgScale(scale).build();
  }

  /** The same with pictures or latents as the result. */
  public InputConfig withOutputType(OutputType type) {
    return toBuilder().outputType(type).build();
  }
}
