package io.xfuser.config;

import io.xfuser.failure.ArgumentException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ParseResult;

/**
 * The command line: xDiT's flags and our own, as records.
 *
 * <p>A flag that contradicts another or is not supported is rejected, never left out silently.
 */
public final class XFuserArgs {
  private final Flags flags;
  private final String usage;
  private final RuntimeConfig runtime;
  private final ParallelConfig parallel;
  private final InputConfig input;

  private XFuserArgs(Flags flags, String usage) {
    this.flags = flags;
    this.usage = usage;
    runtime = runtimeOf(flags);
    parallel = parallelOf(flags.parallel);
    input = inputOf(flags);
  }

  /**
   * Reads a command line.
   *
   * @throws ArgumentException with one sentence, for flags that are unknown, have impossible
   *     values, contradict each other or are not supported yet; not for what comes with {@code
   *     --help}
   */
  public static XFuserArgs parse(String... argv) {
    ReadableText.require(argv);
    Flags flags = new Flags();
    CommandSyntax syntax = new CommandSyntax(flags);
    ParseResult parsed = syntax.parse(argv);
    if (parsed.isUsageHelpRequested()) {
      Flags untouched = new Flags();
      untouched.output.help = true;
      return new XFuserArgs(untouched, syntax.usage());
    }
    if (parsed.isVersionHelpRequested()) {
      Flags untouched = new Flags();
      untouched.output.version = true;
      return new XFuserArgs(untouched, syntax.usage());
    }
    ForeignFlags.refuseOthersThanDefaults(parsed);
    try {
      XFuserArgs args = new XFuserArgs(flags, syntax.usage());
      args.check();
      return args;
    } catch (ArgumentException e) {
      throw new ArgumentException(FlagNames.inSentence(String.valueOf(e.getMessage())));
    }
  }

  private static RuntimeConfig runtimeOf(Flags flags) {
    RuntimeFlags given = flags.runtime;
    if (!given.launcher.equals("thread") && !given.launcher.equals("process")) {
      throw new ArgumentException("--launcher must be thread or process, but is " + given.launcher);
    }
    Check.atLeast(1, given.threads, "--threads");
    return new RuntimeConfig(
        given.dtype,
        given.warmupSteps,
        given.device,
        offloadOf(given),
        given.parallelVae,
        given.shardT5Encoder,
        given.torchCompile,
        given.tiling,
        given.slicing,
        flags.output.verbose,
        given.attentionKernel,
        given.threads == null ? 0 : given.threads);
  }

  private static Offload offloadOf(RuntimeFlags given) {
    if (given.modelOffload && given.sequentialOffload) {
      throw new ArgumentException(
          Offload.MODEL.flag() + " and " + Offload.SEQUENTIAL.flag() + " exclude each other");
    }
    if (given.modelOffload) {
      return Offload.MODEL;
    }
    return given.sequentialOffload ? Offload.SEQUENTIAL : Offload.NONE;
  }

  private static ParallelConfig parallelOf(ParallelFlags given) {
    if (given.patches != null) {
      Check.atLeast(1, given.patches, "--num_pipeline_patch");
    }
    if (given.distrifusionPatches != null) {
      Check.atLeast(1, given.distrifusionPatches, "--num_distrifusion_patch");
    }
    Check.atLeast(0, given.vae, "--vae_parallel_size");
    ParallelConfig parallel =
        new ParallelConfig(
            given.tensor,
            given.ulysses,
            given.ring,
            given.distrifusion,
            given.pipefusion,
            given.cfg || given.splitBatch ? 2 : 1,
            given.data,
            given.patches == null ? 0 : given.patches,
            given.distrifusionPatches == null ? 0 : given.distrifusionPatches,
            given.blocks,
            given.splitScheme,
            given.vae);
    if (given.dit != 0 && given.dit != parallel.ditParallelSize()) {
      throw new ArgumentException(
          "--dit_parallel_size is %d, but the degrees multiply to %d"
              .formatted(given.dit, parallel.ditParallelSize()));
    }
    return parallel;
  }

  private static InputConfig inputOf(Flags flags) {
    InputFlags given = flags.input;
    return InputConfig.builder()
        .prompts(given.prompt)
        .negativePrompts(given.negativePrompt)
        .height(given.height)
        .width(given.width)
        .numFrames(given.numFrames)
        .numInferenceSteps(given.numInferenceSteps)
        .guidanceScale(given.guidanceScale)
        .maxSequenceLength(given.maxSequenceLength)
        .numImagesPerPrompt(given.numImagesPerPrompt)
        .seed(given.seed)
        .useResolutionBinning(given.noUseResolutionBinning ? Boolean.FALSE : null)
        .cleanCaption(given.noCleanCaption ? Boolean.FALSE : null)
        .classLabels(given.classLabels)
        .guidanceRescale(given.guidanceRescale)
        .eta(given.eta)
        .trueCfgScale(given.trueCfgScale)
        .doClassifierFreeGuidance(given.doClassifierFreeGuidance)
        .outputType(flags.output.type)
        .build();
  }

  /** What involves more than one record. */
  private void check() {
    engineConfig(Path.of("unused"));
    outputDirectory();
    report();
    trace();
    tracePicture();
    if (input.prompts().isEmpty() && input.classLabels().isEmpty()) {
      throw new ArgumentException(
          "there is no prompt: give --prompt, or --class_labels for a model that draws classes");
    }
    if (input.switchesGuidanceOff()) {
      needsGuidance(parallel.cfgDegree() > 1, "--use_cfg_parallel");
      needsGuidance(
          input.negativePrompts().stream().anyMatch(text -> !text.isBlank()), "--negative_prompt");
      Double rescale = input.guidanceRescale();
      needsGuidance(rescale != null && rescale != 0, "--guidance_rescale");
    }
  }

  private void needsGuidance(boolean given, String flag) {
    if (given) {
      throw new ArgumentException(
          flag
              + " needs guidance, but --guidance_scale "
              + input.guidanceScale()
              + " switches it off");
    }
  }

  /** The model as it was given, {@code null} if it was not. */
  public @Nullable Path model() {
    return flags.model.model == null ? null : path("--model", flags.model.model);
  }

  /**
   * Model, runtime and layout.
   *
   * @throws ArgumentException if no model was given
   */
  public EngineConfig engineConfig() {
    Path model = model();
    if (model == null) {
      throw new ArgumentException("there is no model: give --model");
    }
    return engineConfig(model);
  }

  /** Model, runtime and layout; with {@code defaultModel} if none was given. */
  public EngineConfig engineConfig(Path defaultModel) {
    Path model = model();
    String downloads = flags.model.downloadDir;
    if (downloads != null && (downloads.isEmpty() || downloads.equals("None"))) {
      downloads = null; // as xDiT reads it
    }
    ModelConfig where =
        new ModelConfig(
            model == null ? defaultModel : model,
            downloads == null ? null : path("--download-dir", downloads),
            flags.model.trustRemoteCode,
            flags.model.variant);
    return new EngineConfig(where, runtime, parallel);
  }

  private static Path path(String flag, String text) {
    if (text.isBlank()) {
      throw new ArgumentException(flag + " is empty");
    }
    try {
      return Path.of(text);
    } catch (InvalidPathException e) {
      throw new ArgumentException(flag + " is no path: " + e.getReason());
    }
  }

  /** What to draw. */
  public InputConfig inputConfig() {
    return input;
  }

  /** {@code thread}: the ranks are threads of one JVM; {@code process}: one JVM each. */
  public String launcher() {
    return flags.runtime.launcher;
  }

  /** Where pictures are written. */
  public Path outputDirectory() {
    return path("--output_directory", flags.output.directory);
  }

  /** The file for the report, {@code null} for none. */
  public @Nullable Path report() {
    return file("--report", flags.output.report);
  }

  /** The file for what ranks did when, {@code null} for none. */
  public @Nullable Path trace() {
    return file("--trace", flags.output.trace);
  }

  /** The file for a picture of it, {@code null} for none. */
  public @Nullable Path tracePicture() {
    return file("--trace_picture", flags.output.tracePicture);
  }

  private static @Nullable Path file(String flag, @Nullable String text) {
    return text == null ? null : path(flag, text);
  }

  /** Whether {@code --help} was given; all other values are then defaults. */
  public boolean helpRequested() {
    return flags.output.help;
  }

  /** Whether {@code --version} was given; all other values are then defaults. */
  public boolean versionRequested() {
    return flags.output.version;
  }

  /** The help text: every flag by group, with its default. */
  public String usage() {
    return usage;
  }
}
