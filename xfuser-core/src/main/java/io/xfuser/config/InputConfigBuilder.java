package io.xfuser.config;

import io.xfuser.failure.ArgumentException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Sets the values of an {@link InputConfig} by name; {@code null} = the pipeline's own default.
 * Each setter is described by the component of that name.
 */
public final class InputConfigBuilder {
  private List<String> prompts = List.of();
  private List<String> negativePrompts = List.of();
  private @Nullable Integer height;
  private @Nullable Integer width;
  private @Nullable Integer numFrames;
  private @Nullable Integer numInferenceSteps;
  private @Nullable Double guidanceScale;
  private @Nullable Integer maxSequenceLength;
  private int numImagesPerPrompt = 1;
  private long seed = 42;
  private @Nullable Boolean useResolutionBinning;
  private @Nullable Boolean cleanCaption;
  private List<Integer> classLabels = List.of();
  private @Nullable Double guidanceRescale;
  private @Nullable Double eta;
  private @Nullable Double trueCfgScale;
  private boolean doClassifierFreeGuidance;
  private OutputType outputType = OutputType.PIL;

  InputConfigBuilder() {}

  InputConfigBuilder(InputConfig from) {
    prompts = from.prompts();
    negativePrompts = from.negativePrompts();
    height = from.height();
    width = from.width();
    numFrames = from.numFrames();
    numInferenceSteps = from.numInferenceSteps();
    guidanceScale = from.guidanceScale();
    maxSequenceLength = from.maxSequenceLength();
    numImagesPerPrompt = from.numImagesPerPrompt();
    seed = from.seed();
    useResolutionBinning = from.useResolutionBinning();
    cleanCaption = from.cleanCaption();
    classLabels = from.classLabels();
    guidanceRescale = from.guidanceRescale();
    eta = from.eta();
    trueCfgScale = from.trueCfgScale();
    doClassifierFreeGuidance = from.doClassifierFreeGuidance();
    outputType = from.outputType();
  }

  /** Sets {@link InputConfig#prompts}. */
  public InputConfigBuilder prompts(List<String> value) {
    prompts = value;
    return this;
  }

  /** Sets {@link InputConfig#negativePrompts}. */
  public InputConfigBuilder negativePrompts(List<String> value) {
    negativePrompts = value;
    return this;
  }

  /** Sets {@link InputConfig#height}. */
  public InputConfigBuilder height(@Nullable Integer value) {
    height = value;
    return this;
  }

  /** Sets {@link InputConfig#width}. */
  public InputConfigBuilder width(@Nullable Integer value) {
    width = value;
    return this;
  }

  /** Sets {@link InputConfig#numFrames}. */
  public InputConfigBuilder numFrames(@Nullable Integer value) {
    numFrames = value;
    return this;
  }

  /** Sets {@link InputConfig#numInferenceSteps}. */
  public InputConfigBuilder numInferenceSteps(@Nullable Integer value) {
    numInferenceSteps = value;
    return this;
  }

  /** Sets {@link InputConfig#guidanceScale}. */
  public InputConfigBuilder guidanceScale(@Nullable Double value) {
    guidanceScale = value;
    return this;
  }

  /** Sets {@link InputConfig#maxSequenceLength}. */
  public InputConfigBuilder maxSequenceLength(@Nullable Integer value) {
    maxSequenceLength = value;
    return this;
  }

  /** Sets {@link InputConfig#numImagesPerPrompt}. */
  public InputConfigBuilder numImagesPerPrompt(int value) {
    numImagesPerPrompt = value;
    return this;
  }

  /** Sets {@link InputConfig#seed}. */
  public InputConfigBuilder seed(long value) {
    seed = value;
    return this;
  }

  /** Sets {@link InputConfig#useResolutionBinning}. */
  public InputConfigBuilder useResolutionBinning(@Nullable Boolean value) {
    useResolutionBinning = value;
    return this;
  }

  /** Sets {@link InputConfig#cleanCaption}. */
  public InputConfigBuilder cleanCaption(@Nullable Boolean value) {
    cleanCaption = value;
    return this;
  }

  /** Sets {@link InputConfig#classLabels}. */
  public InputConfigBuilder classLabels(List<Integer> value) {
    classLabels = value;
    return this;
  }

  /** Sets {@link InputConfig#guidanceRescale}. */
  public InputConfigBuilder guidanceRescale(@Nullable Double value) {
    guidanceRescale = value;
    return this;
  }

  /** Sets {@link InputConfig#eta}. */
  public InputConfigBuilder eta(@Nullable Double value) {
    eta = value;
    return this;
  }

  /** Sets {@link InputConfig#trueCfgScale}. */
  public InputConfigBuilder trueCfgScale(@Nullable Double value) {
    trueCfgScale = value;
    return this;
  }

  /** Sets {@link InputConfig#doClassifierFreeGuidance}. */
  public InputConfigBuilder doClassifierFreeGuidance(boolean value) {
    doClassifierFreeGuidance = value;
    return this;
  }

  /** Sets {@link InputConfig#outputType}. */
  public InputConfigBuilder outputType(OutputType value) {
    outputType = value;
    return this;
  }

  /**
   * The request.
   *
   * @throws ArgumentException if the values contradict each other
   */
  public InputConfig build() {
    return new InputConfig(
        prompts,
        negativePrompts,
        height,
        width,
        numFrames,
        numInferenceSteps,
        guidanceScale,
        maxSequenceLength,
        numImagesPerPrompt,
        seed,
        useResolutionBinning,
        cleanCaption,
        classLabels,
        guidanceRescale,
        eta,
        trueCfgScale,
        doClassifierFreeGuidance,
        outputType);
  }
}
