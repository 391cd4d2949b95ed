package io.xfuser.cli.flags;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.xfuser.config.DeviceChoice;
import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.config.Offload;
import io.xfuser.config.OutputType;
import io.xfuser.failure.ArgumentException;
import io.xfuser.torchscript.ElementType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalLong;
import java.util.function.Function;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class XFuserArgsTest {
  private static final Path DEMO = Path.of("demo");
  private static final String HELP = XFuserArgs.parse("--help").usage();

  private static XFuserArgs parse(String line) {
    return XFuserArgs.parse(line.split(" "));
  }

  @Test
  void aPromptAloneLeavesEverythingAtItsDefault() {
    XFuserArgs args = XFuserArgs.parse("--prompt", "a fox");
    assertThat(args.engineConfig(DEMO)).isEqualTo(EngineConfig.of(DEMO));
    assertThat(args.inputConfig()).isEqualTo(InputConfig.builder("a fox").build());
    assertThat(args.launcher()).isEqualTo("thread");
    assertThat(args.outputDirectory()).isEqualTo(Path.of("results"));
    assertThat(args.report()).isNull();
    assertThat(args.model()).isNull();
    assertThat(args.helpRequested()).isFalse();
  }

  static Stream<Arguments> flags() {
    return Stream.of(
        engine("--model dir", e -> e.model().directory().orElseThrow(), Path.of("dir")),
        engine("--download-dir dir", e -> e.model().downloadDir(), Path.of("dir")),
        engine("--download-dir None", e -> e.model().downloadDir(), null),
        engine("--variant fp16", e -> e.model().variant(), "fp16"),
        engine("--quantize int8", e -> e.model().quantize(), ElementType.INT8),
        engine(
            "--quantize_text_encoder int8", e -> e.model().quantizeTextEncoder(), ElementType.INT8),
        engine("--warmup_steps 0", e -> e.runtime().warmupSteps(), 0),
        engine("--dtype bf16", e -> e.runtime().dtype(), ElementType.BFLOAT16),
        engine("--device cpu", e -> e.runtime().device(), DeviceChoice.CPU),
        engine("--device cuda", e -> e.runtime().device(), DeviceChoice.CUDA),
        engine("--device cuda:1", e -> e.runtime().device(), DeviceChoice.parse("cuda:1")),
        engine("--device auto", e -> e.runtime().device(), DeviceChoice.AUTO),
        engine("--enable_model_cpu_offload", e -> e.runtime().offload(), Offload.MODEL),
        engine("--enable_sequential_cpu_offload", e -> e.runtime().offload(), Offload.SEQUENTIAL),
        engine("--offload layerwise", e -> e.runtime().offload(), Offload.LAYERWISE),
        engine("--enable_tiling", e -> e.runtime().enableTiling(), true),
        engine("--enable_slicing", e -> e.runtime().enableSlicing(), true),
        engine("--shard_text_encoder", e -> e.runtime().shardTextEncoder(), true),
        engine("--shard_t5_encoder", e -> e.runtime().shardTextEncoder(), true),
        engine("--threads 3", e -> e.runtime().threads(), 3),
        engine("--verbose", e -> e.runtime().verbose(), true),
        engine("-v", e -> e.runtime().verbose(), true),
        engine("--use_cfg_parallel", e -> e.parallel().cfgDegree(), 2),
        engine("--use_split_batch", e -> e.parallel().cfgDegree(), 2),
        engine("--data_parallel_degree 2", e -> e.parallel().dataDegree(), 2),
        engine("--ulysses_degree 2", e -> e.parallel().ulyssesDegree(), 2),
        engine("--ring_degree 2", e -> e.parallel().ringDegree(), 2),
        engine("--distrifusion_degree 2", e -> e.parallel().distrifusionDegree(), 2),
        engine("--num_distrifusion_patch 3", e -> e.parallel().distrifusionPatches(), 3),
        engine("--pipefusion_parallel_degree 2", e -> e.parallel().pipefusionDegree(), 2),
        engine("--num_pipeline_patch 3", e -> e.parallel().patches(), 3),
        engine("--attn_layer_num_for_pp 28", e -> e.parallel().attnLayerNumForPp(), List.of(28)),
        engine("--tensor_parallel_degree 2", e -> e.parallel().tensorDegree(), 2),
        input("--negative_prompt bad", InputConfig::negativePrompts, List.of("bad")),
        input("--height 112", InputConfig::height, 112),
        input("--width 144", InputConfig::width, 144),
        input("--num_frames 16", InputConfig::numFrames, 16),
        input("--num_inference_steps 4", InputConfig::numInferenceSteps, 4),
        input("--guidance_scale 4.5", InputConfig::guidanceScale, 4.5),
        input("--guidance_scale -1", InputConfig::guidanceScale, -1.0),
        input("--do_classifier_free_guidance", InputConfig::doClassifierFreeGuidance, true),
        input("--guidance_rescale 0.7", InputConfig::guidanceRescale, 0.7),
        input("--true_cfg_scale 4", InputConfig::trueCfgScale, 4.0),
        input("--eta 0.5", InputConfig::eta, 0.5),
        input("--max_sequence_length 120", InputConfig::maxSequenceLength, 120),
        input("--num_images_per_prompt 2", InputConfig::numImagesPerPrompt, 2),
        input("--seed 7", InputConfig::seed, 7L),
        input("--seeds 7", InputConfig::seeds, List.of(7L)),
        input("--seed -1", InputConfig::seed, -1L),
        input("--seed 18446744073709551615", InputConfig::seed, -1L),
        input("--seed 9223372036854775808", InputConfig::seed, Long.MIN_VALUE),
        input("--seed -9223372036854775808", InputConfig::seed, Long.MIN_VALUE),
        input("--no_use_resolution_binning", InputConfig::useResolutionBinning, false),
        input("--no_clean_caption", InputConfig::cleanCaption, false),
        input("--no_auto_resize", InputConfig::autoResize, false),
        input("--max_area 4096", InputConfig::maxArea, 4096),
        input("--output_type latent", InputConfig::outputType, OutputType.LATENT),
        input("--output_type pt", InputConfig::outputType, OutputType.PT),
        args("--launcher process", XFuserArgs::launcher, "process"),
        args("--output_directory out", XFuserArgs::outputDirectory, Path.of("out")),
        args("--report r.json", XFuserArgs::report, Path.of("r.json")));
  }

  private static Arguments engine(
      String flag, Function<EngineConfig, @Nullable Object> value, @Nullable Object expected) {
    return args(flag, a -> value.apply(a.engineConfig(DEMO)), expected);
  }

  private static Arguments input(
      String flag, Function<InputConfig, @Nullable Object> value, @Nullable Object expected) {
    return args(flag, a -> value.apply(a.inputConfig()), expected);
  }

  private static Arguments args(
      String flag, Function<XFuserArgs, @Nullable Object> value, @Nullable Object expected) {
    return Arguments.of(flag, value, expected);
  }

  @Test
  void whatStaysOfLayersThatAreReadAheadIsAFlagBesideOffload() {
    String line = "--prompt fox --offload layerwise --offload_chunk_mb=16 --";
    assertThat(parse(line + "resident_ratio 0.25").engineConfig(DEMO).runtime().residency())
        .isEqualTo(new Offload.Residency(16 << 20, 0.25, OptionalLong.empty()));
    assertThat(parse(line + "max-memory 8GB").engineConfig(DEMO).runtime().residency())
        .isEqualTo(new Offload.Residency(16 << 20, 0, OptionalLong.of(8_000_000_000L)));
  }

  @ParameterizedTest
  @MethodSource("flags")
  void aFlagIsReadWithDashesUnderscoresAndEqualsSign(
      String flag, Function<XFuserArgs, @Nullable Object> value, @Nullable Object expected) {
    for (String spelling : spellings(flag)) {
      assertThat(value.apply(parse("--prompt fox " + spelling))).as(spelling).isEqualTo(expected);
    }
  }

  private static List<String> spellings(String flag) {
    if (!flag.startsWith("--")) {
      return List.of(flag);
    }
    String[] parts = flag.split(" ", 2);
    String value = parts.length == 1 ? "" : " " + parts[1];
    String name = parts[0].substring(2);
    List<String> spellings = new ArrayList<>();
    for (String spelt : List.of(name.replace('-', '_'), name.replace('_', '-'))) {
      spellings.add("--" + spelt + value);
      if (!value.isEmpty()) {
        spellings.add("--" + spelt + "=" + value.substring(1));
      }
    }
    return spellings;
  }

  @ParameterizedTest
  @CsvSource({
    "float32, FLOAT32",
    "fp32, FLOAT32",
    "bfloat16, BFLOAT16",
    "bf16, BFLOAT16",
    "float16, FLOAT16",
    "fp16, FLOAT16"
  })
  void elementTypesHaveALongAndAShortName(String name, ElementType type) {
    assertThat(parse("--prompt fox --dtype " + name).engineConfig(DEMO).runtime().dtype())
        .isEqualTo(type);
  }

  @Test
  void severalValuesFollowOneFlag() {
    XFuserArgs args =
        XFuserArgs.parse(
            "--prompt",
            "a fox",
            "two cats",
            "--negative-prompt",
            "x",
            "y",
            "--attn_layer_num_for_pp",
            "10",
            "13",
            "--pipefusion_parallel_degree",
            "2");
    assertThat(args.inputConfig().prompts()).containsExactly("a fox", "two cats");
    assertThat(args.inputConfig().negativePrompts()).containsExactly("x", "y");
    assertThat(args.engineConfig(DEMO).parallel().attnLayerNumForPp()).containsExactly(10, 13);
    assertThat(parse("--class_labels 207 360").inputConfig().classLabels())
        .containsExactly(207, 360);
  }

  @Test
  void aPromptThatNamesAFileIsNoFileOfFlags(@TempDir Path directory) throws IOException {
    Path file = Files.writeString(directory.resolve("flags"), "--help");
    assertThat(XFuserArgs.parse("--prompt", "@" + file).inputConfig().prompts())
        .containsExactly("@" + file);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "@file",
        "-5 degrees",
        "-a fox",
        "--a fox",
        "say \"hi\"",
        "'q'",
        "${user}",
        "",
        "_h"
      })
  void promptsAreTakenLetterByLetter(String prompt) {
    assertThat(XFuserArgs.parse("--height", "64", "--prompt", prompt).inputConfig().prompts())
        .containsExactly(prompt);
  }

  @Test
  void aModelThatIsNotGivenIsReplacedOrRejected() {
    assertThat(parse("--prompt a --model m").engineConfig().model().title()).isEqualTo("m");
    assertThatThrownBy(() -> parse("--prompt a").engineConfig())
        .isInstanceOf(ArgumentException.class)
        .hasMessage("there is no model: give --model");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"-h", "--help", "--help --use_parallel_vae", "--tensor_parallel_degree 2 -h"})
  void helpNeedsNoPromptAndAsksForNothingElse(String line) {
    XFuserArgs args = parse(line);
    assertThat(args.helpRequested()).isTrue();
    assertThat(args.usage()).startsWith("Usage: xdit").contains("Input:", "Parallel processing:");
  }

  @ParameterizedTest
  @MethodSource("flags")
  void helpListsEveryFlagOnce(String flag) {
    String entry = " {2,6}(-., )?" + flag.split(" ", 2)[0] + "[=, ].*";
    assertThat(HELP.lines().filter(line -> line.matches(entry))).hasSize(1);
  }

  @Test
  void helpNamesTheDefaultOfEveryFlag() {
    String[] entries = HELP.split("\n(?= {2,6}-)", -1);
    assertThat(entries).hasSizeGreaterThan(100);
    assertThat(Arrays.stream(entries).skip(1)).allMatch(entry -> entry.contains("(default:"));
  }

  @Test
  void aTextMayBeginWithDashesAfterAnEqualsSign() {
    assertThat(XFuserArgs.parse("--prompt=--ar").inputConfig().prompts()).containsExactly("--ar");
  }

  @Test
  void theVersionNeedsNothingElse() {
    assertThat(XFuserArgs.parse("--version").versionRequested()).isTrue();
    assertThat(XFuserArgs.parse("--prompt", "a").versionRequested()).isFalse();
  }

  @ParameterizedTest
  @ValueSource(strings = {"a f\uFFFDx", "\uD83E", "\uDD8A fox", "--prompt=\uFFFD"})
  void lettersThatWereLostAreRefusedNotDrawn(String text) {
    assertThatThrownBy(() -> XFuserArgs.parse("--prompt", text, "--seed", "5"))
        .isInstanceOf(ArgumentException.class)
        .hasMessageStartingWith("--prompt holds letters that cannot be read ");
    assertThat(XFuserArgs.parse("--prompt", "\uD83E\uDD8A f\u00e4").inputConfig().prompts())
        .containsExactly("\uD83E\uDD8A f\u00e4");
  }
}
