package io.xfuser.model;

import io.xfuser.config.InputConfig;
import io.xfuser.config.Setting;
import io.xfuser.internal.picture.Bitmap;
import io.xfuser.model.TextRequest.Prompts;
import io.xfuser.nn.Sequence;
import io.xfuser.scheduler.SchedulerRequest;
import io.xfuser.transformer.ConditionInput;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What a pipeline makes of an {@link InputConfig}: every default filled in, every size checked.
 *
 * @param input as the user gave it
 * @param prompts what is drawn, one entry for each prompt
 * @param size height and width of the picture that is generated, in pixels
 * @param output height and width that the picture is resized and cropped to; often the same
 * @param latents the shape of one picture's latents
 * @param scheduler steps and options of the scheduler
 * @param calls how often the model is called: once a step, but for schedulers of second order
 * @param guidance how predictions with and without the prompt become one
 * @param text how prompts are prepared
 * @param pictures what is made of a picture that was given; null = there is none
 * @param seen what the pictures refer to: each a segment of the sequence, after theirs
 */
public record GenerationRequest(
    InputConfig input,
    Prompts prompts,
    Size size,
    Size output,
    LatentShape latents,
    SchedulerRequest scheduler,
    int calls,
    GuidanceOptions guidance,
    TextEncoder.TextOptions text,
    @Nullable SourcePictures pictures,
    List<Reference> seen) {
  /** Checks that tokens and pictures can be counted; else it throws with the numbers. */
  public GenerationRequest {
    seen = List.copyOf(seen);
    latents.axes();
    PictureCounts.check(input, prompts.positive().size(), latents.pixelFrames());
  }

  /** What {@code input} leaves open, filled in with the pipeline's defaults. */
  public static GenerationRequest of(
      InputConfig input, Size size, LatentShape latents, Defaults defaults) {
    int steps = Objects.requireNonNullElse(input.numInferenceSteps(), defaults.steps());
    return new GenerationRequest(
        input,
        Prompts.of(input),
        size,
        size,
        latents,
        new SchedulerRequest(steps, Objects.requireNonNullElse(input.eta(), 0.0), null, null),
        steps,
        new GuidanceOptions(
            Objects.requireNonNullElse(input.guidanceScale(), defaults.guidance()),
            Objects.requireNonNullElse(input.guidanceRescale(), 0.0),
            0),
        TextEncoder.TextOptions.of(input, defaults.maxSequenceLength(), defaults.cleanCaption()),
        null,
        List.of());
  }

  /** The same with other prompts. */
  public GenerationRequest withPrompts(Prompts other) {
    return new GenerationRequest(
        input, other, size, output, latents, scheduler, calls, guidance, text, pictures, seen);
  }

  /** The same, the pictures resized and cropped to {@code other} in the end. */
  public GenerationRequest withOutput(Size other) {
    return new GenerationRequest(
        input, prompts, size, other, latents, scheduler, calls, guidance, text, pictures, seen);
  }

  /** The same with another schedule. */
  public GenerationRequest withScheduler(SchedulerRequest other) {
    int left = other.steps() - other.begin();
    return new GenerationRequest(
        input, prompts, size, output, latents, other, left, guidance, text, pictures, seen);
  }

  /** The same with a scheduler that calls the model so often. */
  public GenerationRequest withCalls(int other) {
    return new GenerationRequest(
        input, prompts, size, output, latents, scheduler, other, guidance, text, pictures, seen);
  }

  /** The same with other guidance. */
  public GenerationRequest withGuidance(GuidanceOptions other) {
    return new GenerationRequest(
        input, prompts, size, output, latents, scheduler, calls, other, text, pictures, seen);
  }

  /** The same, made of a picture; {@code null} = of none. */
  public GenerationRequest withPictures(@Nullable SourcePictures other) {
    return new GenerationRequest(
        input, prompts, size, output, latents, scheduler, calls, guidance, text, other, seen);
  }

  /** The same, referring to {@code others}. */
  public GenerationRequest withReferences(List<Reference> others) {
    return new GenerationRequest(
        input, prompts, size, output, latents, scheduler, calls, guidance, text, pictures, others);
  }

  /** Whether a picture is encoded. */
  public boolean encodesPictures() {
    return pictures != null || !seen.isEmpty();
  }

  /** Whether prompts are weighed against negative prompts. */
  public boolean guided() {
    return guidance.scale() > 1;
  }

  /** Pictures, or videos, in all. */
  public int images() {
    return prompts.positive().size() * input.numImagesPerPrompt();
  }

  /** The tokens that attend one another beside those of the text. */
  public Sequence sequence() {
    return new Sequence(
        Stream.concat(
                Stream.of(latents.axes()),
                seen.stream().map(reference -> reference.latents().axes()))
            .toList());
  }

  /** What the transformer is told of the picture. */
  public ConditionInput.Picture picture() {
    return new ConditionInput.Picture(
        size.height(),
        size.width(),
        latents.frames(),
        sequence(),
        guidance.condition(),
        MicroConditions.sizes(input, size),
        pictures == null ? 0 : pictures.still());
  }

  /**
   * A pipeline's defaults.
   *
   * @param steps denoising steps
   * @param guidance the guidance scale
   * @param maxSequenceLength text tokens
   * @param cleanCaption whether prompts are cleaned
   */
  public record Defaults(int steps, double guidance, int maxSequenceLength, boolean cleanCaption) {}

  /** Height and width in pixels. */
  public record Size(int height, int width) {}

  /**
   * A picture that the pictures of a request refer to.
   *
   * @param image red, green and blue, in the size in which the transformer sees it
   * @param latents the shape of its latents
   * @param read the same in the size in which the text encoder reads it with the prompt; null = it
   *     does not
   * @param begun whether it is the picture that the request begins with and keeps a part of, whose
   *     latents it has; then there is no other
   */
  public record Reference(Bitmap image, LatentShape latents, @Nullable Bitmap read, boolean begun) {
    /** One that the transformer alone sees. */
    public Reference(Bitmap image, LatentShape latents) {
      this(image, latents, null, false);
    }
  }

  /**
   * How the prompt is weighed.
   *
   * @param scale weight of the prompt; guidance is off at 1 and below
   * @param rescale how far the guided prediction is scaled back to the deviation of the one with
   *     the prompt, 0 to 1 (arXiv 2305.08891, section 3.4)
   * @param condition the strength that the transformer itself is told, for guidance-distilled ones
   * @param layers guidance away from predictions without some blocks
   * @param keepsLengths whether each token of the guided prediction is given the length that it has
   *     in the one with the prompt
   * @param bounds of the guided prediction
   * @param course steps of a course in which the weight rises; 0 = it is the same in every step
   */
  public record GuidanceOptions(
      double scale,
      double rescale,
      double condition,
      LayerGuidance layers,
      boolean keepsLengths,
      GuidanceBounds bounds,
      int course) {
    /** With all blocks alone, and one weight. */
    public GuidanceOptions(double scale, double rescale, double condition) {
      this(scale, rescale, condition, LayerGuidance.NONE, false, GuidanceBounds.NONE, 0);
    }

    /** The same away from predictions without some blocks. */
    public GuidanceOptions with(LayerGuidance other) {
      return new GuidanceOptions(scale, rescale, condition, other, keepsLengths, bounds, course);
    }

    /** The same with the lengths of tokens kept. */
    public GuidanceOptions keepingLengths() {
      return new GuidanceOptions(scale, rescale, condition, layers, true, bounds, course);
    }

    /** The same with bounds. */
    public GuidanceOptions with(GuidanceBounds other) {
      return new GuidanceOptions(scale, rescale, condition, layers, keepsLengths, other, course);
    }

    /** The setting that needs predictions of the whole picture at once, if one does. */
    public Optional<Setting<?>> needingAll() {
      if (rescale != 0) {
        return Optional.of(InputConfig.GUIDANCE_RESCALE);
      }
      return bounds.length() > 0 ? Optional.of(InputConfig.CFG_NORMALIZATION) : Optional.empty();
    }
  }

  /**
   * How far guidance may go.
   *
   * @param length the longest that the prediction of a picture may be, in lengths of the one with
   *     the prompt; 0 or less: as long as it is
   * @param from share of the way from noise before which there is no guidance: (1000 − timestep) /
   *     1000
   * @param until the same share, after which there is none
   */
  public record GuidanceBounds(double length, double from, double until) {
    /** None. */
    public static final GuidanceBounds NONE = new GuidanceBounds(0, 1);

    /** From the first step on. */
    public GuidanceBounds(double length, double until) {
      this(length, Double.NEGATIVE_INFINITY, until);
    }

    /** From {@code first} to {@code last}, which are timesteps, both with guidance. */
    public static GuidanceBounds within(double first, double last) {
      return new GuidanceBounds(0, share(first), share(last));
    }

    /** What {@code input} asks for. */
    public static GuidanceBounds of(InputConfig input) {
      return new GuidanceBounds(
          Objects.requireNonNull(input.get(InputConfig.CFG_NORMALIZATION)),
          Objects.requireNonNull(input.get(InputConfig.CFG_TRUNCATION)));
    }

    /** Whether there is guidance at {@code timestep}, in fp32 as diffusers has it. */
    public boolean at(double timestep) {
      return from <= share(timestep) && share(timestep) <= until;
    }

    private static float share(double timestep) {
      return (1000 - (float) timestep) / 1000;
    }
  }

  /**
   * Guidance away from a prediction with the prompt, but without some blocks of the transformer.
   *
   * @param blocks their numbers; none: no such guidance
   * @param scale weight of the difference
   * @param start share of the steps before it begins
   * @param stop share of the steps when it ends
   */
  public record LayerGuidance(Set<Integer> blocks, double scale, double start, double stop) {
    /** None. */
    public static final LayerGuidance NONE = new LayerGuidance(Set.of(), 0, 0, 0);

    /** What {@code input} asks for. */
    public static LayerGuidance of(InputConfig input) {
      return new LayerGuidance(
          Set.copyOf(input.listed(InputConfig.SKIP_GUIDANCE_LAYERS)),
          Objects.requireNonNull(input.get(InputConfig.SKIP_LAYER_GUIDANCE_SCALE)),
          Objects.requireNonNull(input.get(InputConfig.SKIP_LAYER_GUIDANCE_START)),
          Objects.requireNonNull(input.get(InputConfig.SKIP_LAYER_GUIDANCE_STOP)));
    }

    /** Whether it counts in call {@code call} of the model, of a request for so many steps. */
    public boolean at(int call, int steps) {
      return !blocks.isEmpty() && call > steps * start && call < steps * stop;
    }
  }
}
