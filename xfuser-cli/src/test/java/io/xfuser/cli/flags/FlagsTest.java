package io.xfuser.cli.flags;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class FlagsTest {
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
        "the model has no image of its own | the model has no image of its own",
        "/m/num_frames/x is no folder  | /m/num_frames/x is no folder",
        "/m/xfuser.json: num_frames must be a number | /m/xfuser.json: num_frames must be a number"
      })
  void aSentenceNamesFlagsWhereTheCommandLineIsMeant(String sentence, String shown) {
    assertThat(Flags.inSentence(sentence)).isEqualTo(shown);
  }
}
