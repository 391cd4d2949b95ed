package io.xfuser.cli.flags;

import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.config.InputConfigBuilder;
import io.xfuser.config.ModelConfig;
import io.xfuser.config.OutputType;
import io.xfuser.config.ParallelConfig;
import io.xfuser.config.RuntimeConfig;
import io.xfuser.config.Setting;
import io.xfuser.failure.ArgumentException;
import io.xfuser.server.ServerSettings;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The command line: xDiT's flags and our own, as settings.
 *
 * <p>A flag that contradicts another or is not supported is rejected, never left out silently.
 */
public final class XFuserArgs {
  private final Map<Setting<?>, Object> given;
  private final CommandSyntax syntax;
  private final RuntimeConfig runtime;
  private final ParallelConfig parallel;
  private final InputConfig input;

  private XFuserArgs(Map<Setting<?>, Object> given, CommandSyntax syntax) {
    this.given = given;
    this.syntax = syntax;
    runtime = RuntimeConfig.builder().setAll(given).build();
    parallel = ParallelConfig.builder().setAll(given).build();
    InputConfigBuilder asked = InputConfig.builder().setAll(given);
    if (given.containsKey(CommandSettings.PREVIEW)) {
      asked.set(
          InputConfig.PREVIEW_EVERY, (Integer) given.getOrDefault(InputConfig.PREVIEW_EVERY, 1));
    }
    input = asked.build();
  }

  @SuppressWarnings("unchecked") // the syntax has read it by this setting
  private <T> @Nullable T get(Setting<T> setting) {
    return (T) given.getOrDefault(setting, setting.standard());
  }

  private <T> T value(Setting<T> setting) {
    return Objects.requireNonNull(get(setting), setting.name());
  }

  /**
   * Reads a command line.
   *
   * @throws ArgumentException with one sentence, for flags that are unknown, have impossible
   *     values, contradict each other or are not supported yet; not for what comes with {@code
   *     --help}
   */
  public static XFuserArgs parse(String... argv) {
    return parse(XFuserArgs::checkDrawing, argv);
  }

  /** The same of a command that draws nothing, and needs no prompt. */
  public static XFuserArgs parseWithoutPrompt(String... argv) {
    return parse(XFuserArgs::check, argv);
  }

  private static XFuserArgs parse(Consumer<XFuserArgs> check, String... argv) {
    ReadableText.require(argv);
    CommandSyntax syntax = new CommandSyntax();
    try {
      Map<Setting<?>, Object> given = syntax.parse(argv);
      XFuserArgs args = new XFuserArgs(given, syntax);
      if (!args.helpRequested() && !args.versionRequested()) {
        check.accept(args);
      }
      return args;
    } catch (ArgumentException e) {
      throw new ArgumentException(FlagSentences.of(String.valueOf(e.getMessage()), List.of(argv)));
    }
  }

  /**
   * Reads the command line of a server, of one of its models.
   *
   * @throws ArgumentException as {@link #parse}, and for flags that are fields of requests there
   */
  public static XFuserArgs serving(String... argv) {
    ReadableText.require(argv);
    try {
      CommandSyntax syntax = new CommandSyntax();
      XFuserArgs args = new XFuserArgs(syntax.parse(argv), syntax);
      for (Setting<?> setting : args.given.keySet()) {
        if ((InputConfig.SETTINGS.contains(setting) && setting != ModelConfig.LORA)
            || CommandSettings.OF_PICTURES.contains(setting)) {
          throw new ArgumentException(
              setting + " is for one request: clients of a server give it as a field of theirs");
        }
      }
      args.checkRanks();
      return args;
    } catch (ArgumentException e) {
      throw new ArgumentException(FlagSentences.of(String.valueOf(e.getMessage()), List.of(argv)));
    }
  }

  /** The server's settings that were given. */
  public Map<Setting<?>, Object> serverSettings() {
    return given.entrySet().stream()
        .filter(one -> ServerSettings.SETTINGS.contains(one.getKey()))
        .collect(Collectors.toMap(Map.Entry::getKey, Map.Entry::getValue));
  }

  /** What involves more than one of the library's settings, or the command's own. */
  private void check() {
    for (Setting<?> setting : serverSettings().keySet()) {
      throw new ArgumentException(setting + " is for xdit serve alone");
    }
    boolean shows = !Integer.valueOf(0).equals(input.get(InputConfig.PREVIEW_EVERY));
    if (shows != given.containsKey(CommandSettings.PREVIEW)) {
      throw new ArgumentException(
          shows
              ? InputConfig.PREVIEW_EVERY + " needs a file: give --preview"
              : CommandSettings.PREVIEW
                  + " is never written with "
                  + InputConfig.PREVIEW_EVERY
                  + " 0");
    }
    checkRanks();
  }

  private void checkDrawing() {
    check();
    if (input.prompts().isEmpty() && input.classLabels().isEmpty()) {
      throw new ArgumentException(
          "there is no prompt: give --prompt, or --class_labels for a model that draws classes");
    }
    if (input.switchesGuidanceOff()) {
      needsGuidance(parallel.cfgDegree() > 1, "use_cfg_parallel");
      needsGuidance(
          input.negativePrompts().stream().anyMatch(text -> !text.isBlank()), "negative_prompt");
      Double rescale = input.guidanceRescale();
      needsGuidance(rescale != null && rescale != 0, "guidance_rescale");
    }
  }

  private void checkRanks() {
    int ranks = value(CommandSettings.DIT_PARALLEL_SIZE);
    if (ranks != 0 && ranks != parallel.ditParallelSize()) {
      throw new ArgumentException(
          "%s is %d, but the degrees multiply to %d"
              .formatted(CommandSettings.DIT_PARALLEL_SIZE, ranks, parallel.ditParallelSize()));
    }
    engineConfig(Path.of("unused"));
  }

  private void needsGuidance(boolean given, String flag) {
    if (given) {
      throw new ArgumentException(
          flag
              + " needs guidance, but guidance_scale "
              + input.guidanceScale()
              + " switches it off");
    }
  }

  /** The model as it was given, {@code null} if it was not. */
  public @Nullable String model() {
    return get(CommandSettings.MODEL);
  }

  /**
   * Model, runtime and layout.
   *
   * @throws ArgumentException if no model was given
   */
  public EngineConfig engineConfig() {
    if (model() == null) {
      throw new ArgumentException("there is no model: give --model");
    }
    return engineConfig(Path.of("unused"));
  }

  /** Model, runtime and layout; with {@code defaultModel} if none was given. */
  public EngineConfig engineConfig(Path defaultModel) {
    String model = model();
    ModelConfig.Builder where =
        model == null
            ? ModelConfig.builder(defaultModel)
            : ModelConfig.named(model, get(ModelConfig.DOWNLOAD_DIR));
    return new EngineConfig(where.setAll(given).build(), runtime, parallel);
  }

  /** What to draw. */
  public InputConfig inputConfig() {
    return input;
  }

  /** {@code thread}: the ranks are threads of one JVM; {@code process}: one JVM each. */
  public String launcher() {
    return CommandSettings.LAUNCHER.text(value(CommandSettings.LAUNCHER));
  }

  /** Where pictures are written. */
  public Path outputDirectory() {
    return value(CommandSettings.OUTPUT_DIRECTORY);
  }

  /** Frames that a video's file shows in a second; {@code null} = the model's own number. */
  public @Nullable Double fps() {
    return get(CommandSettings.FPS);
  }

  /** What a video is written as, beside its frames: {@code mp4}, {@code webp} or {@code gif}. */
  public String videoFormat() {
    return CommandSettings.VIDEO_FORMAT.text(value(CommandSettings.VIDEO_FORMAT));
  }

  /**
   * Refuses what is about a video's file where none will be written.
   *
   * @param videos whether the model makes videos
   * @throws ArgumentException naming the flag
   */
  public void requireVideoFiles(boolean videos) {
    for (Setting<?> setting : List.of(CommandSettings.FPS, CommandSettings.VIDEO_FORMAT)) {
      if (given.containsKey(setting) && !(videos && input.outputType() == OutputType.PIL)) {
        throw new ArgumentException(
            FlagSentences.of(
                setting
                    + " is about a video's file, but "
                    + (videos ? "output_type is not pil" : "the model makes pictures"),
                List.of()));
      }
    }
  }

  /** The file that shows latents while they are denoised, {@code null} for none. */
  public @Nullable Path preview() {
    return get(CommandSettings.PREVIEW);
  }

  /** The file for the report, {@code null} for none. */
  public @Nullable Path report() {
    return get(CommandSettings.REPORT);
  }

  /** The file for what ranks did when, {@code null} for none. */
  public @Nullable Path trace() {
    return get(CommandSettings.TRACE);
  }

  /** The file for a picture of it, {@code null} for none. */
  public @Nullable Path tracePicture() {
    return get(CommandSettings.TRACE_PICTURE);
  }

  /** Whether {@code --help} was given; all other values are then defaults. */
  public boolean helpRequested() {
    return value(CommandSettings.HELP);
  }

  /** Whether {@code --version} was given; all other values are then defaults. */
  public boolean versionRequested() {
    return value(CommandSettings.VERSION);
  }

  /** The help text: every flag by group, with its default. */
  public String usage() {
    return syntax.usage();
  }
}
