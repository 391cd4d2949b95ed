package io.xfuser.config;

import io.xfuser.failure.ArgumentException;
import java.util.List;
import java.util.Locale;
import java.util.Objects;

/**
 * Arguments that the calls of single pipelines of diffusers have; a model that has no use for one
 * refuses it by name.
 */
abstract sealed class ModelArguments extends Settings permits InputSettings {
  private static final String FIRST = "the first one's";
  private static final String BY_STEPS = "the scheduler's own";

  public static final Setting<List<String>> PROMPT_2 =
      texts("prompt_2", "Prompts for the second text encoder: one for all, or one per prompt");

  public static final Setting<List<String>> PROMPT_3 =
      texts("prompt_3", "Prompts for the third text encoder: one for all, or one per prompt");

  public static final Setting<List<String>> NEGATIVE_PROMPT_2 =
      texts("negative_prompt_2", "What to avoid, for the second text encoder");

  public static final Setting<List<String>> NEGATIVE_PROMPT_3 =
      texts("negative_prompt_3", "What to avoid, for the third text encoder");

  public static final Setting<Integer> CLIP_SKIP =
      Setting.of(
              "clip_skip", Kind.whole(0), "N", "Layers of CLIP left out at its end for the prompt")
          .or(0);

  public static final Setting<List<Double>> SIGMAS =
      Setting.of(
              "sigmas",
              Kind.listOf(Kind.number()),
              "X",
              "Noise levels, one per step, as the scheduler's class takes them")
          .open(BY_STEPS);

  public static final Setting<List<Integer>> TIMESTEPS =
      Setting.of(
              "timesteps", Kind.listOf(Kind.whole(0)), "N", "Timesteps, one per step, descending")
          .open(BY_STEPS);

  public static final Setting<Double> MU =
      Setting.of(
              "mu", Kind.number(), "X", "Logarithm of the shift of dynamically shifted schedules")
          .open("by the picture's size");

  public static final Setting<List<Integer>> SKIP_GUIDANCE_LAYERS =
      Setting.of(
          "skip_guidance_layers",
          Kind.listOf(Kind.whole(0)),
          "N",
          "Blocks to leave out of a third prediction, from which guidance leads away; half as much"
              + " work again in its steps");

  public static final Setting<Double> SKIP_LAYER_GUIDANCE_SCALE =
      Setting.of("skip_layer_guidance_scale", Kind.number(), "X", "Weight of that guidance")
          .or(2.8);

  public static final Setting<Double> SKIP_LAYER_GUIDANCE_START =
      Setting.of(
              "skip_layer_guidance_start",
              Kind.number(),
              "X",
              "Share of the steps before it begins")
          .or(0.01);

  public static final Setting<Double> SKIP_LAYER_GUIDANCE_STOP =
      Setting.of("skip_layer_guidance_stop", Kind.number(), "X", "Share of the steps when it ends")
          .or(0.2);

  public static final Setting<List<Integer>> ORIGINAL_SIZE =
      pair(
              "original_size",
              "Height and width of the picture that the model imagines it is cut from")
          .or(List.of(1024, 1024), "1024 1024");

  public static final Setting<List<Integer>> TARGET_SIZE =
      pair("target_size", "Height and width that the model is told").open("those of the picture");

  public static final Setting<List<Integer>> CROPS_COORDS_TOP_LEFT =
      pair("crops_coords_top_left", "Row and column where the picture lies in the original")
          .or(List.of(0, 0), "0 0");

  public static final Setting<Boolean> MASK_FEATURE =
      Setting.of("mask_feature", Kind.truth(), "", "Cut off the padding of prompts").or(true, "on");

  public static final Setting<Boolean> ENABLE_TEMPORAL_ATTENTIONS =
      Setting.of(
              "enable_temporal_attentions",
              Kind.truth(),
              "",
              "Let frames of a video see each other")
          .or(true, "on");

  public static final Setting<Integer> DECODE_CHUNK_SIZE =
      Setting.of("decode_chunk_size", Kind.whole(1), "N", "Frames of a video decoded together")
          .or(14);

  public static final Setting<Double> CFG_NORMALIZATION =
      Setting.of(
              "cfg_normalization",
              new Kind<>(ModelArguments::numberOrTruth, String::valueOf, Kind.Shape.NUMBER),
              "X",
              "How long the guided prediction may be, in lengths of the one with the prompt; true"
                  + " is 1, false and 0 and below are as long as it is")
          .or(0.0);

  public static final Setting<Double> CFG_TRUNCATION =
      Setting.of(
              "cfg_truncation",
              Kind.number(),
              "X",
              "Share of the way from noise, 0 to 1, after which there is no guidance; above 1 as 1")
          .or(1.0);

  public static final Setting<List<String>> COMPLEX_HUMAN_INSTRUCTION =
      Setting.of(
              "complex_human_instruction",
              Kind.listOf(Kind.string()),
              "TEXT",
              "Lines before the prompt that tell a language model what to make of it; an empty one"
                  + " for none")
          .open("the pipeline's own");

  private static double numberOrTruth(Object value) {
    return switch (value.toString().toLowerCase(Locale.ROOT)) {
      case "true" -> 1;
      case "false" -> 0;
      default -> Kind.number().reader().apply(value);
    };
  }

  public static final Setting<List<Integer>> TEXT_ENCODER_OUT_LAYERS =
      Setting.of(
              "text_encoder_out_layers",
              Kind.listOf(Kind.whole(0)),
              "N",
              "Layers of the text encoder whose states the model reads side by side")
          .open("the model's");

  public static final Setting<Double> MAX_TIMESTEPS =
      Setting.of(
              "max_timesteps",
              Kind.number(),
              "X",
              "The angle of the first step, in radians: 0 is the picture, a quarter turn noise")
          .or(1.5708);

  public static final Setting<Double> INTERMEDIATE_TIMESTEPS =
      Setting.of(
              "intermediate_timesteps", Kind.number(), "X", "That of the second one of two steps")
          .open("1.3 of two steps");

  public static final Setting<Double> GUIDANCE_SCALE_2 =
      Setting.of(
              "guidance_scale_2",
              Kind.number(),
              "X",
              "Weight of the prompt in the steps of a second transformer, of models that have two")
          .open("that of the first");

  public static final Setting<Boolean> USE_DYNAMIC_CFG =
      Setting.off("use_dynamic_cfg", "Weigh the prompt otherwise in every step");

  public static final Setting<Picture> LAST_IMAGE =
      Setting.of(
          "last_image",
          Kind.picture(),
          "FILE",
          "The picture that a video ends with, of models that begin with one and end with one");

  public static final Setting<List<Picture>> IP_ADAPTER_IMAGE =
      pictures(
          "ip_adapter_image",
          "Pictures that are prompts: one for each ip_adapter, or several for one");

  public static final Setting<List<Picture>> NEGATIVE_IP_ADAPTER_IMAGE =
      pictures("negative_ip_adapter_image", "Pictures of what to avoid, with guidance");

  static final List<Setting<?>> ALL =
      List.of(
          PROMPT_2,
          PROMPT_3,
          NEGATIVE_PROMPT_2,
          NEGATIVE_PROMPT_3,
          CLIP_SKIP,
          SIGMAS,
          TIMESTEPS,
          MU,
          SKIP_GUIDANCE_LAYERS,
          SKIP_LAYER_GUIDANCE_SCALE,
          SKIP_LAYER_GUIDANCE_START,
          SKIP_LAYER_GUIDANCE_STOP,
          ORIGINAL_SIZE,
          TARGET_SIZE,
          CROPS_COORDS_TOP_LEFT,
          MASK_FEATURE,
          ENABLE_TEMPORAL_ATTENTIONS,
          DECODE_CHUNK_SIZE,
          CFG_NORMALIZATION,
          CFG_TRUNCATION,
          TEXT_ENCODER_OUT_LAYERS,
          COMPLEX_HUMAN_INSTRUCTION,
          MAX_TIMESTEPS,
          INTERMEDIATE_TIMESTEPS,
          GUIDANCE_SCALE_2,
          USE_DYNAMIC_CFG,
          LAST_IMAGE,
          IP_ADAPTER_IMAGE,
          NEGATIVE_IP_ADAPTER_IMAGE);

  ModelArguments(Settings.Builder<?> builder) {
    super(builder);
    for (Setting<List<Integer>> pair : List.of(ORIGINAL_SIZE, TARGET_SIZE, CROPS_COORDS_TOP_LEFT)) {
      if (has(pair) && listed(pair).size() != 2) {
        throw new ArgumentException(pair + " must be two numbers, but is " + listed(pair));
      }
    }
    if (!listed(SIGMAS).isEmpty() && !listed(TIMESTEPS).isEmpty()) {
      throw new ArgumentException(SIGMAS + " and " + TIMESTEPS + " exclude each other");
    }
    List<Integer> timesteps = listed(TIMESTEPS);
    for (int i = 1; i < timesteps.size(); i++) {
      if (timesteps.get(i) >= timesteps.get(i - 1)) {
        throw new ArgumentException(TIMESTEPS + " must descend, but are " + timesteps);
      }
    }
    for (Setting<?> part :
        List.of(SKIP_LAYER_GUIDANCE_SCALE, SKIP_LAYER_GUIDANCE_START, SKIP_LAYER_GUIDANCE_STOP)) {
      if (has(part) && listed(SKIP_GUIDANCE_LAYERS).isEmpty()) {
        throw new ArgumentException(
            part + " needs " + SKIP_GUIDANCE_LAYERS + ", which is not given");
      }
    }
  }

  private static Setting<List<String>> texts(String name, String meaning) {
    return Setting.of(name, Kind.listOf(Kind.string()), "TEXT", meaning).open(FIRST);
  }

  private static Setting<List<Picture>> pictures(String name, String meaning) {
    return Setting.of(name, Kind.listOf(Kind.picture()), "FILE", meaning);
  }

  private static Setting<List<Integer>> pair(String name, String meaning) {
    return Setting.of(name, Kind.listOf(Kind.whole(0)), "N", meaning);
  }

  /** The values of a setting that has several; none where it is left open. */
  public final <T> List<T> listed(Setting<List<T>> setting) {
    return Objects.requireNonNullElse(get(setting), List.of());
  }
}
