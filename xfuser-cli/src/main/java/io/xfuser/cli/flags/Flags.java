package io.xfuser.cli.flags;

import io.xfuser.config.InputConfig;
import io.xfuser.config.ModelConfig;
import io.xfuser.config.Offload;
import io.xfuser.config.ParallelConfig;
import io.xfuser.config.RuntimeConfig;
import io.xfuser.config.Setting;
import io.xfuser.config.Settings.StepCache;
import io.xfuser.server.ServerSettings;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The command line's flags: one for each setting, with its name, but for the few that are spelt
 * otherwise.
 */
final class Flags {
  /** What is not spelt as its setting is. */
  private static final List<Flag> SPELT =
      List.of(
          new Flag(ModelConfig.DOWNLOAD_DIR, null, "--download-dir"),
          new Flag(ParallelConfig.USE_CFG_PARALLEL, true, "--use_cfg_parallel"),
          new Flag(
              ParallelConfig.USE_CFG_PARALLEL,
              true,
              "The same by its old name (default: off)",
              "--use_split_batch"),
          new Flag(RuntimeConfig.SHARD_TEXT_ENCODER, true, "--shard_text_encoder"),
          new Flag(
              RuntimeConfig.SHARD_TEXT_ENCODER,
              true,
              "The same by xDiT's name (default: off)",
              "--shard_t5_encoder"),
          new Flag(
              InputConfig.USE_RESOLUTION_BINNING,
              false,
              "Draw in exactly this size, not in the nearest one of the training (default: binning"
                  + " where the model has it)",
              "--no_use_resolution_binning"),
          new Flag(
              InputConfig.CLEAN_CAPTION,
              false,
              "Take prompts as they are (default: cleaned where diffusers cleans them)",
              "--no_clean_caption"),
          new Flag(
              InputConfig.AUTO_RESIZE,
              false,
              "See the picture in its own size (default: in the nearest one of the training)",
              "--no_auto_resize"),
          new Flag(
              InputConfig.MASK_IMAGE,
              null,
              InputConfig.MASK_IMAGE.description(),
              List.of("--mask", "--mask_image")),
          new Flag(
              InputConfig.MASK_FEATURE,
              false,
              "Let the padding of prompts stay, in Latte (default: cut off)",
              "--no_mask_feature"),
          new Flag(
              InputConfig.ENABLE_TEMPORAL_ATTENTIONS,
              false,
              "Frames of a video do not see each other, in Latte (default: they do)",
              "--no_enable_temporal_attentions"),
          new Flag(InputConfig.NUM_FRAMES, null, "--num_frames"),
          new Flag(
              InputConfig.NUM_FRAMES,
              null,
              "The same by the name that Latte's pipeline has for it (default: the pipeline's own)",
              List.of("--video_length")),
          new Flag(InputConfig.NUM_IMAGES_PER_PROMPT, null, "--num_images_per_prompt"),
          new Flag(
              InputConfig.NUM_IMAGES_PER_PROMPT,
              null,
              "The same by the name that pipelines of videos have for it (default: 1)",
              List.of("--num_videos_per_prompt")),
          new Flag(InputConfig.CACHE, null, "--cache"),
          new Flag(
              InputConfig.CACHE,
              StepCache.TEACACHE,
              "The same as cache teacache, by xDiT's name (default: off)",
              "--use_teacache"),
          new Flag(
              InputConfig.CACHE,
              StepCache.FBCACHE,
              "The same as cache fbcache, by xDiT's name (default: off)",
              "--use_fbcache"),
          new Flag(RuntimeConfig.OFFLOAD, null, "--offload"),
          new Flag(
              RuntimeConfig.OFFLOAD,
              Offload.MODEL,
              "Text encoders, transformer and VAE are on the GPU only while they are used (default:"
                  + " off)",
              "--enable_model_cpu_offload"),
          new Flag(
              RuntimeConfig.OFFLOAD,
              Offload.SEQUENTIAL,
              "Each of their layers is on the GPU only while it is used: least memory, much slower"
                  + " (default: off)",
              "--enable_sequential_cpu_offload"),
          new Flag(
              RuntimeConfig.VERBOSE,
              true,
              RuntimeConfig.VERBOSE.description(),
              List.of("-v", "--verbose")),
          new Flag(
              CommandSettings.HELP,
              true,
              CommandSettings.HELP.description(),
              List.of("-h", "--help")));

  /** All of them, by the headings of the help. */
  static final Map<String, List<Flag>> GROUPS = groups();

  private Flags() {}

  /**
   * A flag.
   *
   * @param setting what it sets
   * @param value to that value; {@code null}: to what follows the flag
   * @param description for the help, with the default
   * @param names with their dashes, the one to show last
   */
  record Flag(Setting<?> setting, @Nullable Object value, String description, List<String> names) {
    Flag(Setting<?> setting, @Nullable Object value, String name) {
      this(setting, value, setting.description(), List.of(name));
    }

    Flag(Setting<?> setting, Object value, String description, String name) {
      this(setting, value, description, List.of(name));
    }

    /** What it sets, where {@code written} follows it. */
    Object read(List<String> written) {
      Object given = setting.isList() ? written : written.get(0);
      return setting.read(value == null ? given : value);
    }

    /** The name to show. */
    String name() {
      return names.get(names.size() - 1);
    }
  }

  private static Map<String, List<Flag>> groups() {
    Map<String, List<Flag>> groups = new LinkedHashMap<>();
    groups.put(
        "Model:",
        flags(Stream.concat(Stream.of(CommandSettings.MODEL), ModelConfig.SETTINGS.stream())));
    groups.put(
        "Input:",
        flags(
            but(
                InputConfig.SETTINGS,
                InputConfig.OUTPUT_TYPE,
                InputConfig.PARTIAL_IMAGES,
                InputConfig.PREVIEW_EVERY,
                ModelConfig.LORA)));
    groups.put(
        "Parallel processing:",
        flags(
            Stream.concat(
                ParallelConfig.SETTINGS.stream(), Stream.of(CommandSettings.DIT_PARALLEL_SIZE))));
    groups.put(
        "Runtime:",
        flags(
            Stream.concat(
                but(RuntimeConfig.SETTINGS, RuntimeConfig.VERBOSE),
                Stream.of(CommandSettings.LAUNCHER))));
    groups.put("Serving, after xdit serve:", flags(ServerSettings.SETTINGS.stream()));
    groups.put(
        "Output:",
        flags(
            CommandSettings.OUTPUT_DIRECTORY,
            InputConfig.OUTPUT_TYPE,
            CommandSettings.FPS,
            CommandSettings.VIDEO_FORMAT,
            CommandSettings.PREVIEW,
            InputConfig.PREVIEW_EVERY,
            CommandSettings.REPORT,
            CommandSettings.TRACE,
            CommandSettings.TRACE_PICTURE,
            RuntimeConfig.VERBOSE,
            CommandSettings.VERSION,
            CommandSettings.HELP));
    return groups;
  }

  private static Stream<Setting<?>> but(List<Setting<?>> settings, Setting<?>... others) {
    return settings.stream().filter(setting -> !List.of(others).contains(setting));
  }

  private static List<Flag> flags(Setting<?>... settings) {
    return flags(Stream.of(settings));
  }

  private static List<Flag> flags(Stream<Setting<?>> settings) {
    return settings.flatMap(setting -> of(setting).stream()).toList();
  }

  /** The flags that set {@code setting}. */
  static List<Flag> of(Setting<?> setting) {
    List<Flag> spelt = SPELT.stream().filter(flag -> flag.setting == setting).toList();
    Object value = setting.isSwitch() ? true : null;
    return spelt.isEmpty() ? List.of(new Flag(setting, value, "--" + setting.name())) : spelt;
  }

  /** All flags, in the order of the help. */
  static List<Flag> all() {
    return GROUPS.values().stream().flatMap(List::stream).toList();
  }
}
