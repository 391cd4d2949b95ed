package io.xfuser.cli.flags;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.failure.ArgumentException;
import java.nio.file.Path;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class XFuserArgsRefusalTest {
  private static final Path DEMO = Path.of("demo");

  private static XFuserArgs parse(String line) {
    return XFuserArgs.parse(line.split(" ", -1));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      value = {
        "--hieght 5 | unknown flag --hieght; did you mean --height?",
        "--prompt a --hieght 5 | unknown flag --hieght; did you mean --height?",
        "--prompt a --foo | unknown flag --foo",
        "--foo a | unknown flag --foo",
        "--sed 5 | unknown flag --sed; did you mean --seed?",
        "--prompt a --height 5 --foo | unknown flag --foo",
        "--prompt --ar | unknown flag --ar; if it is a text for --prompt, write --prompt=--ar",
        "--prompt a --negative-prompt -x=y | unknown flag -x; if it is a text for"
            + " --negative_prompt, write --negative_prompt=-x=y",
        "--prompt a --output_directory --o | unknown flag --o; if it is a text for"
            + " --output_directory, write --output_directory=--o",
        "--prompt a --output_directory o --o | unknown flag --o",
        "--prompt a --frobnicate | unknown flag --frobnicate",
        "--prompt a -x | unknown flag -x",
        "--prompt a --height 5 stray | unexpected argument 'stray'",
        "--prompt a --height | Missing required parameter for option '--height' (PIXELS)",
        "--prompt a --height x | --height must be a whole number, but is x",
        "--prompt a --height 5 --height 6 |"
            + " option '--height' (PIXELS) should be specified only once",
        "--prompt a --seed 18446744073709551616 | --seed must be a"
            + " whole number from -9223372036854775808 to 18446744073709551615, but is"
            + " 18446744073709551616",
        "--prompt a --seed x | --seed must be a whole number from"
            + " -9223372036854775808 to 18446744073709551615, but is x",
        "--prompt a --dtype int8 | --dtype" + " must be float32, bfloat16 or float16, but is int8",
        "--prompt a --launcher mpi | --launcher must be thread or process, but is mpi",
        "--prompt a --threads 0 | --threads must be from 1 to 1024, but is 0",
        "--prompt a --threads 1025 | --threads must be from 1 to 1024, but is 1025",
        "--prompt a --model= | --model is empty",
        "--prompt a --seed= | --seed must be a whole number from -9223372036854775808 to"
            + " 18446744073709551615, but is empty",
        "--prompt a --dtype= | --dtype must be float32, bfloat16 or float16, but is empty",
        "--prompt a --max-memory= | --max_memory must be a size, 8GB or 7.5GiB for example, but is"
            + " empty",
        "--prompt a --variant= | --variant is empty",
        "--prompt a --quantize int4 | --quantize must be int8, but is int4",
        "--prompt a --quantize_text_encoder fp8 | --quantize_text_encoder must be int8, but is fp8",
        "--prompt a --quantize int8 --device cuda |"
            + " --quantize int8 cannot be had on a GPU: take device cpu",
        "--prompt a --report= | --report is empty",
        "--prompt a --output_directory= | --output_directory is empty",
        "--prompt a --ulysses_degree 0 | --ulysses_degree must be at least 1, but is 0",
        "--prompt a --num_pipeline_patch 0 | --num_pipeline_patch must be at least 1, but is 0",
        "--prompt a --num_distrifusion_patch 0 |"
            + " --num_distrifusion_patch must be at least 1, but is 0",
        "--prompt a --distrifusion_degree 2 --pipefusion_parallel_degree 2 | --distrifusion_degree"
            + " 2 (DistriFusion) and --pipefusion_parallel_degree 2 (PipeFusion) exclude each"
            + " other",
        "--prompt a --device tpu | --device must be auto, cpu," + " cuda or cuda:i, but is tpu",
        "--prompt a --device cuda:x | --device must be auto,"
            + " cpu, cuda or cuda:i, but is cuda:x",
        "--prompt a --device cpu --enable_model_cpu_offload | --enable_model_cpu_offload needs a"
            + " GPU, but the device is cpu",
        "--prompt a --resident_ratio 0.5 | --resident_ratio needs --offload layerwise",
        "--prompt a --max_memory 8GB | --max_memory needs --offload layerwise",
        "--prompt a --enable_model_cpu_offload --enable_sequential_cpu_offload |"
            + " --enable_model_cpu_offload and --enable_sequential_cpu_offload exclude each other",
        "--prompt a --use_torch_compile | --use_torch_compile has no counterpart, because there is"
            + " no Python to compile and DJL gives no access to CUDA graphs; the programs are fused"
            + " by hand instead, and on the CPU a step takes 0.57 to 0.96 of the time of diffusers'"
            + " (docs/performance.md)",
        "--prompt a --trust_remote_code | --trust-remote-code has no counterpart, because no code"
            + " of a model is ever run: leave it out",
        "--prompt a --split_scheme col | --split_scheme col cannot be had: tensor parallelism cuts"
            + " weights by row alone",
        "--prompt a --attention_backend FLASH_3 | --attention_backend"
            + " flash_3 is a kernel of another package, which only Python can call; libtorch's own"
            + " are sdpa, sdpa_flash, sdpa_efficient, sdpa_math, cudnn",
        "--prompt a --attention_backend xformers | --attention_backend"
            + " must be one of sdpa, sdpa_flash, sdpa_efficient, sdpa_math, cudnn, but is xformers",
        "--prompt a --device cpu --attention_backend SDPA_EFFICIENT | --attention_backend"
            + " sdpa_efficient is a kernel for CUDA, but the device is the CPU",
        "--height 5 | there is no prompt: give --prompt, or --class_labels for a model that draws"
            + " classes"
      })
  void badInputIsOneSentence(String line, String message) {
    assertThatThrownBy(() -> parse(line)).isInstanceOf(ArgumentException.class).hasMessage(message);
  }

  @ParameterizedTest
  @CsvSource({
    "--use_cfg_parallel, --use_cfg_parallel",
    "--use_split_batch, --use_split_batch",
    "--negative_prompt bad, --negative_prompt",
    "--guidance_rescale 0.7, --guidance_rescale"
  })
  void whatNeedsGuidanceContradictsAScaleThatSwitchesItOff(String flag, String named) {
    assertThatThrownBy(() -> parse("--prompt a --guidance_scale 1 " + flag))
        .isInstanceOf(ArgumentException.class)
        .hasMessage(named + " needs guidance, but --guidance_scale 1.0 switches it off");
    assertThat(parse("--prompt a --guidance_scale 1.5 " + flag)).isNotNull();
    assertThat(parse("--prompt a --guidance_scale 1 --true_cfg_scale 4 " + flag)).isNotNull();
  }

  @ParameterizedTest
  @ValueSource(strings = {"--n_calib 9", "--input_images a b", "--no-vsa_reorder_sequence"})
  void whatIsNotSupportedIsRefused(String flag) {
    assertThatThrownBy(() -> parse("--prompt a " + flag))
        .isInstanceOf(ArgumentException.class)
        .hasMessage(flag + " is not supported yet");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--vae_parallel_size -1|--vae_parallel_size must be at least 0, but is -1",
        "--dit_parallel_size 3 --ring_degree 4|--dit_parallel_size is 3, but the degrees multiply"
            + " to 4",
        "--dit_parallel_size 3 --ring_degree 2 --vae_parallel_size 1"
            + "|--dit_parallel_size is 3, but the degrees multiply to 2"
      })
  void ranksThatDoNotAddUpAreRefused(String flags, String message) {
    assertThatThrownBy(() -> parse("--prompt a " + flags))
        .isInstanceOf(ArgumentException.class)
        .hasMessage(message);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "--n_calib 8",
        "--n-calib=8",
        "--threshold 0.50",
        "--wan_teacache_thresh 0.2",
        "--attention_backend None",
        "--vae_parallel_size 0",
        "--dit_parallel_size 0",
        "--dit_parallel_size 1",
        "--vsa_reorder_sequence",
        "--vsa-drop-rates",
        "--batch_size 1"
      })
  void defaultsOfXDitGivenExplicitlyAreAccepted(String flag) {
    XFuserArgs args = parse("--prompt fox " + flag);
    assertThat(args.inputConfig()).isEqualTo(InputConfig.builder("fox").build());
    assertThat(args.engineConfig(DEMO)).isEqualTo(EngineConfig.of(DEMO));
  }
}
