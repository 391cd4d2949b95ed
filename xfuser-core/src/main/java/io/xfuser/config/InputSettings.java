package io.xfuser.config;

import java.util.List;
import java.util.stream.Stream;

/** The settings of a request; {@link InputConfig} has their values. */
abstract sealed class InputSettings extends ModelArguments permits InputConfig {
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

  public static final Setting<List<Picture>> IMAGE =
      Setting.of(
          "image",
          Kind.listOf(Kind.picture()),
          "FILE",
          "A picture to start from, or those to look at: PNG, JPEG or WebP");

  public static final Setting<Picture> MASK_IMAGE =
      Setting.of("mask_image", Kind.picture(), "FILE", "White where the picture is drawn anew");

  public static final Setting<Double> STRENGTH =
      Setting.of("strength", Kind.number(0, 1), "X", "How much of the picture is noise at first")
          .open(OWN);

  public static final Setting<Integer> PADDING_MASK_CROP =
      Setting.of(
          "padding_mask_crop",
          Kind.whole(0),
          "PIXELS",
          "Draw only what the mask shows and so much around it, larger, then put it back");

  public static final Setting<Integer> MAX_AREA =
      Setting.of(
              "max_area",
              Kind.whole(1),
              "PIXELS",
              "Height times width, for models to which both say the proportions alone")
          .open(OWN);

  public static final Setting<Boolean> AUTO_RESIZE =
      Setting.of(
              "auto_resize",
              Kind.truth(),
              "",
              "See the picture in the nearest size of the training, else in its own")
          .open("where the model has it");

  public static final Setting<OutputType> OUTPUT_TYPE =
      Setting.of(
              "output_type",
              Kind.oneOf(OutputType.class),
              "TYPE",
              "pil: pictures; pt: their pixels as a tensor; latent: latents, not decoded")
          .or(OutputType.PIL);

  public static final Setting<Integer> PARTIAL_IMAGES =
      Setting.of(
              "partial_images",
              Kind.whole(0),
              "N",
              "Unfinished pictures that its listener is shown, each decoded for that alone")
          .or(0);

  public static final Setting<Integer> PREVIEW_EVERY =
      Setting.of(
              "preview_every",
              Kind.whole(0),
              "STEPS",
              "Small pictures of the latents that its listener is shown, one after so many steps;"
                  + " nothing is decoded for them")
          .or(0, "none");

  public static final Setting<StepCache> CACHE =
      Setting.of(
              "cache",
              Kind.oneOf(StepCache.class),
              "METHOD",
              "Spare steps in which little changes: none, fbcache, teacache, magcache, easycache or"
                  + " taylorseer; pictures change a little")
          .or(StepCache.NONE);

  public static final Setting<Double> CACHE_THRESHOLD =
      Setting.of(
              "cache_threshold",
              Kind.number(0, Integer.MAX_VALUE),
              "X",
              "How much may change until a step is computed; 0 computes all")
          .open("0.12 for fbcache, 0.25 for teacache, 0.06 for magcache, 0.05 for easycache");

  public static final Setting<Integer> CACHE_WARMUP_STEPS =
      Setting.of(
              "cache_warmup_steps",
              Kind.whole(0),
              "N",
              "First steps that the cache always computes")
          .open(
              "3 for taylorseer, a fifth of the steps for magcache, 15 % of them for easycache,"
                  + " else 1");

  public static final Setting<Integer> CACHE_MAX_CONTINUOUS =
      Setting.of(
              "cache_max_continuous",
              Kind.whole(0),
              "N",
              "Steps that the cache spares at most one after the other")
          .open("4 for taylorseer, 3 for magcache, else no limit");

  public static final Setting<Boolean> CACHE_WHOLE_PICTURE =
      Setting.off(
          "cache_whole_picture",
          "With PipeFusion the cache decides for all patches together, as on one rank; stages wait"
              + " for the last patch once a step");

  /** The pipeline's, in the place of which a request may have its own. */
  public static final Setting<List<String>> LORA = ModelConfig.LORA;

  private static final List<Setting<?>> OWN_SETTINGS =
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
          IMAGE,
          MASK_IMAGE,
          STRENGTH,
          PADDING_MASK_CROP,
          MAX_AREA,
          AUTO_RESIZE,
          OUTPUT_TYPE,
          PARTIAL_IMAGES,
          PREVIEW_EVERY,
          CACHE,
          CACHE_THRESHOLD,
          CACHE_WARMUP_STEPS,
          CACHE_MAX_CONTINUOUS,
          CACHE_WHOLE_PICTURE,
          LORA);

  public static final List<Setting<?>> SETTINGS =
      Stream.of(OWN_SETTINGS, ModelArguments.ALL).flatMap(List::stream).toList();

  InputSettings(InputConfigBuilder builder) {
    super(builder);
  }

  @Override
  public List<Setting<?>> settings() {
    return SETTINGS;
  }
}
