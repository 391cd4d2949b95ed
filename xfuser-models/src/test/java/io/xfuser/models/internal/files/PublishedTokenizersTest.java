package io.xfuser.models.internal.files;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.config.ModelConfig;
import io.xfuser.models.internal.files.ModelFormat.TextSlot;
import io.xfuser.models.internal.text.TokenIds;
import io.xfuser.models.internal.text.Tokenizer;
import io.xfuser.models.internal.text.Tokenizers;
import io.xfuser.pipeline.Generation;
import io.xfuser.pipeline.XDiTParallel;
import io.xfuser.torchscript.Torch;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.assertj.core.api.SoftAssertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PublishedTokenizersTest {
  private static final Path FIXTURES = Path.of("src/test/resources/fixtures/tokenizers");

  private static TextSlot slot(String infix) {
    return new TextSlot("", "", "", infix, false, Map.of());
  }

  @Test
  void aModelOfFilesAloneNeedsNoTokenizers(@TempDir Path files) throws IOException {
    Path tiny = OneFile.directory("flux_dev_tiny");
    try (NDManager manager = Torch.newManager()) {
      OneFile flux = new OneFile(manager).add(tiny.resolve("transformer"), "flux_dev_tiny", "");
      OneFile clip = new OneFile(manager).add(tiny.resolve("text_encoder"), "");
      OneFile t5 = new OneFile(manager).add(tiny.resolve("text_encoder_2"), "");
      widen(manager, clip, "text_model.embeddings.token_embedding.weight", 49408);
      widen(manager, t5, "shared.weight", 32128);
      ModelConfig model =
          ModelConfig.builder(flux.write(files.resolve("flux1-dev.safetensors")))
              .part("vae", tiny.resolve("vae"))
              .part("text_encoder", clip.write(files.resolve("clip_l.safetensors")))
              .part("text_encoder_2", t5.write(files.resolve("t5xxl.safetensors")))
              .build();
      InputConfig input =
          InputConfig.builder("a fox, très joli!").size(32, 32).numInferenceSteps(1).build();
      try (XDiTParallel ranks = XDiTParallel.inProcess(EngineConfig.builder(model).build());
          Generation drawn = ranks.generate(input)) {
        assertThat(drawn.images()).hasSize(1);
      }
    }
  }

  /** With rows for tokens that the tiny vocabulary does not have. */
  private static void widen(NDManager manager, OneFile encoder, String name, long rows) {
    NDArray table = Objects.requireNonNull(encoder.tensors().get(name));
    long[] shape = table.getShape().getShape();
    NDArray more = manager.ones(new Shape(rows - shape[0], shape[1]));
    encoder.tensors().put(name, Torch.concat(manager, List.of(table, more), 0));
  }

  private static JsonNode json(String name) throws IOException {
    return new JsonMapper().readTree(FIXTURES.resolve(name).toFile());
  }

  @ParameterizedTest
  @CsvSource({"clip_l, 49408", "clip_g, 49408", "t5xxl, 32128"})
  void idsEqualThoseOfTransformersWithThePublishedFiles(String name, int rows) throws IOException {
    List<String> texts =
        json("ids.json").path("texts").valueStream().map(JsonNode::asText).toList();
    JsonNode reference =
        json("published.json")
            .path("cases")
            .valueStream()
            .filter(one -> one.path("slot").asText().equals(name))
            .findFirst()
            .orElseThrow();
    Path folder = PublishedTokenizers.of(slot(name), rows).orElseThrow();
    int length = reference.path("max_length").asInt();
    SoftAssertions softly = new SoftAssertions();
    try (Tokenizer tokenizer = Tokenizers.open(folder, reference.path("class").asText())) {
      assertThat(tokenizer.modelMaxLength()).hasValue(reference.path("model_max_length").asInt());
      TokenIds ids = tokenizer.encode(texts, length);
      for (int i = 0; i < texts.size(); i++) {
        String repaired = reference.path("ids").path(i).asText();
        String row = reference.path("without_repair").path(String.valueOf(i)).asText(repaired);
        long[] kept = Arrays.stream(row.split(" ", -1)).mapToLong(Long::parseLong).toArray();
        long[] expected = Arrays.copyOf(kept, length);
        Arrays.fill(expected, kept.length, length, reference.path("padding").asLong());
        softly.assertThat(ids.ids()[i]).as("%s", texts.get(i)).isEqualTo(expected);
      }
    }
    softly.assertAll();
  }

  @ParameterizedTest
  @CsvSource({"clip_l, 1000", "t5xxl, 49408", "gemma, 32128"})
  void anEncoderOfOtherTokensHasNone(String name, int rows) {
    assertThat(PublishedTokenizers.of(slot(name), rows)).isEmpty();
  }
}
