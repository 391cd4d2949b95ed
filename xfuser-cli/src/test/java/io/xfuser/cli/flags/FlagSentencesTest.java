package io.xfuser.cli.flags;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class FlagSentencesTest {
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "num_frames must be at least 1 | --num_frames must be at least 1",
        "height must be at least 1     | --height must be at least 1",
        "a picture of that height      | a picture of that height",
        "offload sequential needs a GPU | --enable_sequential_cpu_offload needs a GPU",
        "fused_kernels true needs a GPU | --fused_kernels needs a GPU",
        "set use_resolution_binning false | set --no_use_resolution_binning",
        "device cuda:1 cannot be had   | --device cuda:1 cannot be had",
        "vae: ae.safetensors is a Flux.1 transformer | --vae: ae.safetensors is a Flux.1"
            + " transformer",
        "what is missing is given by vae, text_encoder, tokenizer | what is missing is given by"
            + " --vae, --text_encoder, --tokenizer",
        "flux has no eta | flux has no --eta",
        "dit has no prompt: it draws class_labels | dit has no --prompt: it draws --class_labels",
        "flux needs prompt | flux needs --prompt",
        "mask_image needs image, of which it is a mask | --mask_image needs --image, of which it is"
            + " a mask",
        "height and width must be multiples of 8 | --height and --width must be multiples of 8",
        "sigmas and timesteps exclude each other | --sigmas and --timesteps exclude each other",
        "image has 3 × 900 pixels (high × wide) | image has 3 × 900 pixels (high × wide)",
        "64 × 96 pixels (height × width) need | 64 × 96 pixels (--height × --width) need",
        "a video (num_frames × height × width) | a video (--num_frames × --height × --width)",
        "num_inference_steps is 1001, but scheduler_config.json has only 1000 |"
            + " --num_inference_steps is 1001, but scheduler_config.json has only 1000",
        "LCMScheduler takes no sigmas | LCMScheduler takes no --sigmas",
        "sigmas are for 2 steps | --sigmas are for 2 steps",
        "strength 0.0 leaves none | --strength 0.0 leaves none",
        "prompt 2 is too long | prompt 2 is too long",
        "cache magcache is not calibrated | --cache magcache is not calibrated",
        "less is needed by dtype bfloat16 | less is needed by --dtype bfloat16",
        "the model has no image of its own | the model has no image of its own",
        "/m/num_frames/x is no folder  | /m/num_frames/x is no folder",
        "/m/xfuser.json: num_frames must be a number | /m/xfuser.json: num_frames must be a number"
      })
  void aSentenceNamesFlagsWhereTheCommandLineIsMeant(String sentence, String shown) {
    assertThat(FlagSentences.of(sentence, List.of())).isEqualTo(shown);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "offload model needs a GPU | --offload model | --offload model needs a GPU",
        "offload model needs a GPU | --enable-model-cpu-offload | --enable_model_cpu_offload needs"
            + " a GPU",
        "a cannot be had with cache fbcache | --cache=fbcache | a cannot be had with --cache"
            + " fbcache",
        "a cannot be had with cache fbcache | --use_fbcache | a cannot be had with --use_fbcache",
        "mask_image needs image, of | --mask | --mask needs --image, of",
        "use_cfg_parallel needs guidance | --use_split_batch | --use_split_batch needs guidance",
        "flux has no num_frames | --video-length | flux has no --video_length",
        "num_images_per_prompt is 9 | --num_videos_per_prompt | --num_videos_per_prompt is 9",
        "shard_text_encoder needs ranks | --shard_t5_encoder | --shard_t5_encoder needs ranks"
      })
  void ofSeveralFlagsForOneSettingTheOneThatWasWrittenIsNamed(
      String sentence, String written, String shown) {
    assertThat(FlagSentences.of(sentence, List.of(written.split(" ", -1)))).isEqualTo(shown);
  }
}
