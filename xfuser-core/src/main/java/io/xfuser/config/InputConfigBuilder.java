package io.xfuser.config;

import io.xfuser.failure.ArgumentException;
import java.util.Arrays;
import java.util.List;

/**
 * A request that is being put together. {@link #set} with {@code null} takes a value back: the
 * pipeline's own default is in its place.
 */
public final class InputConfigBuilder extends Settings.Builder<InputConfigBuilder> {
  InputConfigBuilder() {}

  InputConfigBuilder(InputConfig from) {
    super(from);
  }

  @Override
  InputConfigBuilder self() {
    return this;
  }

  @Override
  public List<Setting<?>> settings() {
    return InputConfig.SETTINGS;
  }

  /** What is drawn: a picture for each text; none where classes or embeddings are given. */
  public InputConfigBuilder prompts(String... texts) {
    return prompts(Arrays.asList(Given.required(texts, "prompt")));
  }

  /** What is drawn: a picture for each text; none where classes or embeddings are given. */
  public InputConfigBuilder prompts(List<String> texts) {
    return set(InputConfig.PROMPT, texts);
  }

  /** What is avoided: nothing by default, one text for all prompts, or one per prompt. */
  public InputConfigBuilder negativePrompts(String... texts) {
    return negativePrompts(Arrays.asList(Given.required(texts, "negative_prompt")));
  }

  /** What is avoided: nothing by default, one text for all prompts, or one per prompt. */
  public InputConfigBuilder negativePrompts(List<String> texts) {
    return set(InputConfig.NEGATIVE_PROMPT, texts);
  }

  /**
   * Height of the pictures in pixels, at least 1, often a multiple of 8 or 16; the model's trained
   * size by default. Time and memory grow with the area, those of attention with its square.
   */
  public InputConfigBuilder height(int pixels) {
    return set(InputConfig.HEIGHT, pixels);
  }

  /** Width of the pictures in pixels, like {@link #height}. */
  public InputConfigBuilder width(int pixels) {
    return set(InputConfig.WIDTH, pixels);
  }

  /** {@link #height} and {@link #width} of the pictures in pixels. */
  public InputConfigBuilder size(int height, int width) {
    return height(height).width(width);
  }

  /**
   * Frames of the video, at least 1, of models that make videos; the model's own number by default.
   * Time and memory grow with it.
   */
  public InputConfigBuilder numFrames(int frames) {
    return set(InputConfig.NUM_FRAMES, frames);
  }

  /**
   * Denoising steps, at least 1; the model's own number by default, 4 of distilled models to 50.
   * The time is proportional to it.
   */
  public InputConfigBuilder numInferenceSteps(int steps) {
    return set(InputConfig.NUM_INFERENCE_STEPS, steps);
  }

  /**
   * Weight of the prompt against the negative one, finite; the model's own by default. At 1 and
   * below there is no guidance, and most models compute one prediction per step in the place of
   * two. Guidance-distilled models are told it, which costs nothing.
   */
  public InputConfigBuilder guidanceScale(double scale) {
    return set(InputConfig.GUIDANCE_SCALE, scale);
  }

  /** Whether settings that switch guidance off are refused; false by default. */
  public InputConfigBuilder doClassifierFreeGuidance(boolean demanded) {
    return set(InputConfig.DO_CLASSIFIER_FREE_GUIDANCE, demanded);
  }

  /**
   * How far guided predictions are scaled back to the deviation of the conditional one, 0 (the
   * default) to 1 (arXiv 2305.08891, section 3.4).
   */
  public InputConfigBuilder guidanceRescale(double rescale) {
    return set(InputConfig.GUIDANCE_RESCALE, rescale);
  }

  /**
   * Weight of the prompt against the negative one in guidance-distilled models, finite; 1 by
   * default. Above 1 each step computes two predictions.
   */
  public InputConfigBuilder trueCfgScale(double scale) {
    return set(InputConfig.TRUE_CFG_SCALE, scale);
  }

  /** Share of fresh noise in a DDIM step, 0 (the default) to 1 (arXiv 2010.02502, eq. 16). */
  public InputConfigBuilder eta(double share) {
    return set(InputConfig.ETA, share);
  }

  /**
   * Text tokens of a prompt, at least 1; the model's own number by default. Longer prompts are cut;
   * the time of text encoders and of attention to the text grows with it.
   */
  public InputConfigBuilder maxSequenceLength(int tokens) {
    return set(InputConfig.MAX_SEQUENCE_LENGTH, tokens);
  }

  /** Pictures for each prompt, at least 1, the default. Each costs a picture's time and memory. */
  public InputConfigBuilder numImagesPerPrompt(int images) {
    return set(InputConfig.NUM_IMAGES_PER_PROMPT, images);
  }

  /**
   * Seed of the noise, 42 by default: the same picture for every layout of ranks. All 64 bits of
   * what torch's {@code manual_seed} takes, its seeds from 2⁶³ to 2⁶⁴ − 1 being the negative ones
   * here ({@link Long#parseUnsignedLong}).
   */
  public InputConfigBuilder seed(long seed) {
    return set(InputConfig.SEED, seed);
  }

  /**
   * A seed for each picture, in their order, in the place of {@link #seed}, which excludes it: each
   * picture has exactly the noise, and so is the picture, of a request for it alone with that seed
   * ({@code diffusers}: a list of generators). Requests of several users can be drawn as one.
   */
  public InputConfigBuilder seeds(List<Long> seeds) {
    return set(InputConfig.SEEDS, seeds);
  }

  /**
   * Whether the picture is drawn in the nearest size that the model was trained on, then resized
   * and cropped to the size asked for; by default where diffusers does it.
   */
  public InputConfigBuilder useResolutionBinning(boolean binning) {
    return set(InputConfig.USE_RESOLUTION_BINNING, binning);
  }

  /** Whether prompts are cleaned as the training captions were; by default where diffusers does. */
  public InputConfigBuilder cleanCaption(boolean clean) {
    return set(InputConfig.CLEAN_CAPTION, clean);
  }

  /** ImageNet classes from 0 on, one per picture, for models that draw classes. */
  public InputConfigBuilder classLabels(List<Integer> labels) {
    return set(InputConfig.CLASS_LABELS, labels);
  }

  /** A picture to start from, or that is drawn anew in part; none by default. */
  public InputConfigBuilder image(Picture picture) {
    return set(InputConfig.IMAGE, List.of(Given.required(picture, "image")));
  }

  /** Pictures to look at, for models that look at several; none by default. */
  public InputConfigBuilder images(List<Picture> pictures) {
    return set(InputConfig.IMAGE, pictures);
  }

  /**
   * White where {@link #image} is drawn anew, black where it stays; of any size, as it is resized
   * with the picture. None by default.
   */
  public InputConfigBuilder maskImage(Picture mask) {
    return set(InputConfig.MASK_IMAGE, mask);
  }

  /**
   * How much of {@link #image} is noise at first, 0 to 1, the model's own by default. Only that
   * share of the denoising steps is taken.
   */
  public InputConfigBuilder strength(double share) {
    return set(InputConfig.STRENGTH, share);
  }

  /**
   * So many pixels around what the mask shows are cut out with it, drawn in the size asked for, and
   * put back into {@link #image}, whose size the result has. By default the whole picture is drawn.
   */
  public InputConfigBuilder paddingMaskCrop(int pixels) {
    return set(InputConfig.PADDING_MASK_CROP, pixels);
  }

  /**
   * Pixels of the picture, for models to which height and width say the proportions alone (Flux
   * Kontext); the model's own by default.
   */
  public InputConfigBuilder maxArea(int pixels) {
    return set(InputConfig.MAX_AREA, pixels);
  }

  /**
   * Whether a picture that is referred to is seen in the nearest size of the model's training, as
   * by default, or in its own: diffusers' {@code _auto_resize}.
   */
  public InputConfigBuilder autoResize(boolean trained) {
    return set(InputConfig.AUTO_RESIZE, trained);
  }

  /** Pictures, the default, their pixels as a tensor, or latents, which costs no decoding. */
  public InputConfigBuilder outputType(OutputType type) {
    return set(InputConfig.OUTPUT_TYPE, type);
  }

  /** LoRAs, each as {@link ModelConfig.Builder#loras(List)} takes it. */
  public InputConfigBuilder loras(String... places) {
    return loras(List.of(places));
  }

  /**
   * The LoRAs of this request in the place of the pipeline's, each as {@link
   * ModelConfig.Builder#loras(List)} takes it, or none; for pipelines with {@code dynamic_lora}.
   * One of the hub is downloaded when the request is submitted.
   */
  public InputConfigBuilder loras(List<String> places) {
    return set(InputConfig.LORA, places);
  }

  /**
   * The request.
   *
   * @throws ArgumentException if values contradict each other
   */
  public InputConfig build() {
    return new InputConfig(this);
  }
}
