package io.xfuser.pipeline;

import io.xfuser.config.InputConfig;
import io.xfuser.scheduler.SchedulerRequest;
import io.xfuser.transformer.ConditionInput.Grid;

/**
 * What a pipeline makes of an {@link InputConfig}: every default filled in, every size checked.
 *
 * @param input as the user gave it
 * @param height of the picture that is generated, in pixels
 * @param width of the picture that is generated, in pixels
 * @param output height and width that the picture is resized and cropped to; often the same
 * @param latents the shape of one picture's latents
 * @param scheduler steps and options of the scheduler
 * @param guidanceScale weight of the prompt; guidance is off at 1 and below
 * @param text how prompts are prepared
 */
public record GenerationRequest(
    InputConfig input,
    int height,
    int width,
    Size output,
    Latents latents,
    SchedulerRequest scheduler,
    double guidanceScale,
    TextEncoder.Options text) {

  /** Whether prompts are weighed against negative prompts. */
  public boolean guided() {
    return guidanceScale > 1;
  }

  /** Pictures in all. */
  public int images() {
    return input.prompts().size() * input.numImagesPerPrompt();
  }

  /** Height and width in pixels. */
  public record Size(int height, int width) {}

  /**
   * One picture's latents.
   *
   * @param channels c
   * @param height h
   * @param width w
   * @param patchSize latents along each side of a token
   */
  public record Latents(int channels, int height, int width, int patchSize) {
    /** Rows and columns of tokens. */
    public Grid grid() {
      return new Grid(height / patchSize, width / patchSize);
    }
  }
}
