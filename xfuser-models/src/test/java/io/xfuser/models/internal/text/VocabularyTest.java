package io.xfuser.models.internal.text;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDManager;
import io.xfuser.config.InputConfig;
import io.xfuser.config.ModelConfig;
import io.xfuser.failure.ModelException;
import io.xfuser.model.TextEncoder;
import io.xfuser.model.TextRequest;
import io.xfuser.models.contract.DirectoryCopy;
import io.xfuser.pipeline.DiffusionPipeline;
import io.xfuser.torchscript.Torch;
import io.xfuser.weights.Placement;
import io.xfuser.weights.Share;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Tokens that a text encoder has not are said with the tokenizer that gives them. */
class VocabularyTest {
  @TempDir Path directory;

  @ParameterizedTest
  @CsvSource({"pixart_sigma_tiny, 1808", "flux_dev_tiny, 674", "hunyuandit_tiny, 172"})
  void tokensThatAnEncoderHasNotAreRefused(String name, int vocabulary) throws IOException {
    DirectoryCopy.of(Path.of("src/test/resources/fixtures").resolve(name), directory)
        .rewrite(
            "tokenizer/tokenizer_config.json",
            "\"added_tokens_decoder\": {",
            "\"added_tokens_decoder\": {\"%d\": {\"content\": \"zebra\"},".formatted(vocabulary));
    try (NDManager manager = Torch.newManager();
        DiffusionPipeline pipeline =
            DiffusionPipeline.fromPretrained(ModelConfig.builder(directory).build());
        TextEncoder encoder = pipeline.model().textEncoder(Placement.CPU, Share.WHOLE)) {
      encode(pipeline, encoder, manager, "a fox");
      assertThatThrownBy(() -> encode(pipeline, encoder, manager, "a zebra"))
          .isInstanceOf(ModelException.class)
          .hasMessage(
              "%s: a text has the token %d, but %s: vocab_size is %d",
              directory.resolve("tokenizer"),
              vocabulary,
              directory.resolve("text_encoder/config.json"),
              vocabulary);
    }
  }

  private static void encode(
      DiffusionPipeline pipeline, TextEncoder encoder, NDManager manager, String prompt) {
    TextEncoder.TextOptions options =
        pipeline.model().resolve(InputConfig.builder(prompt).build()).text();
    encoder.encode(manager, TextRequest.of(List.of(prompt), options));
  }
}
