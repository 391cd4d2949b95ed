package io.xfuser.models;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.xfuser.config.ModelConfig;
import io.xfuser.model.TextEncoder.TextOptions;
import io.xfuser.models.contract.DirectoryCopy;
import io.xfuser.models.internal.text.Captions;
import io.xfuser.models.internal.text.T5Config;
import io.xfuser.models.internal.text.Tokenizer;
import io.xfuser.models.internal.text.Tokenizers;
import io.xfuser.models.internal.vae.AutoencoderKlConfig;
import io.xfuser.models.internal.vae.AutoencoderKlDecoder;
import io.xfuser.pipeline.DiffusionPipeline;
import io.xfuser.scheduler.SchedulerRequest;
import io.xfuser.torchscript.Torch;
import io.xfuser.weights.ComponentConfig;
import io.xfuser.weights.Placement;
import io.xfuser.weights.Share;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The class of a component is the one that {@code model_index.json} names, as in diffusers. */
class IndexClassesTest {
  private static final Path FIXTURES = Path.of("src/test/resources/fixtures");
  private static final String OWN_CLASS = "\"_class_name\": \"%s\",";
  private static final String SCHEDULER = "scheduler/scheduler_config.json";

  @TempDir Path directory;
  private DirectoryCopy copy;

  @BeforeEach
  void copyFixture() throws IOException {
    Torch.prepareThread(1);
    copy = DirectoryCopy.of(FIXTURES.resolve("pixart_sigma_tiny"), directory);
  }

  private DiffusionPipeline open() {
    return DiffusionPipeline.fromPretrained(ModelConfig.builder(directory).build());
  }

  @ParameterizedTest
  @CsvSource({
    "DDIMScheduler, Ddim",
    "EulerDiscreteScheduler, EulerDiscrete",
    "FlaxDDPMScheduler, Ddpm"
  })
  void aSchedulersSettingsAreReadByTheIndexesClass(String name, String expected)
      throws IOException {
    copy.rewrite("model_index.json", "DPMSolverMultistepScheduler", name);
    assertScheduler(expected);
    copy.rewrite(SCHEDULER, OWN_CLASS.formatted("DPMSolverMultistepScheduler"), "");
    assertScheduler(expected);
  }

  private void assertScheduler(String expected) {
    try (DiffusionPipeline pipeline = open()) {
      assertThat(pipeline.model().scheduler(SchedulerRequest.of(4)).getClass().getSimpleName())
          .isEqualTo(expected);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"T5Tokenizer", "T5TokenizerFast"})
  void captionsAreCutByTheIndexesTokenizer(String name) throws IOException {
    copy.rewrite("model_index.json", "T5Tokenizer", name);
    List<String> prompts = List.of("a fox</s>");
    try (DiffusionPipeline pipeline = open();
        Tokenizer tokenizer = Tokenizers.open(directory.resolve("tokenizer"), name);
        Captions captions = (Captions) pipeline.model().textEncoder(Placement.CPU, Share.WHOLE)) {
      long[][] ids = captions.tokens(prompts, new TextOptions(30, false)).ids();
      assertThat(ids).isDeepEqualTo(tokenizer.encode(prompts, 30).ids());
    }
  }

  @Test
  void theTwoTokenizersOfOneVocabularyDiffer() {
    Path files = directory.resolve("tokenizer");
    List<String> prompts = List.of("a fox</s>");
    try (Tokenizer slow = Tokenizers.open(files, "T5Tokenizer");
        Tokenizer fast = Tokenizers.open(files, "T5TokenizerFast")) {
      assertThat(slow.encode(prompts, 30).ids()[0]).isNotEqualTo(fast.encode(prompts, 30).ids()[0]);
    }
  }

  @Test
  void anAutoencodersOwnClassDoesNotCount() throws IOException {
    copy.rewrite("vae/config.json", OWN_CLASS.formatted("AutoencoderKL"), "");
    assertPicturesAreDecoded();
    copy.rewrite("vae/config.json", "{", "{ \"_class_name\": \"AutoencoderKLTemporalDecoder\",");
    assertPicturesAreDecoded();
  }

  private void assertPicturesAreDecoded() {
    try (DiffusionPipeline pipeline = open();
        AutoencoderKlDecoder decoder =
            (AutoencoderKlDecoder) pipeline.model().vaeDecoder(Placement.CPU)) {
      assertThat(settings(decoder).temporal()).isFalse();
    }
  }

  @ParameterizedTest // diffusers' pipelines: PixArt divides by the scale alone, Flux adds the shift
  @CsvSource({"pixart_sigma_tiny, 0", "flux_dev_tiny, 0.5"})
  void anAutoencodersShiftCountsWhereThePipelineLooksAtIt(
      String name, double shift, @TempDir Path other) throws IOException {
    DirectoryCopy.of(FIXTURES.resolve(name), other);
    Path config = other.resolve("vae/config.json");
    String text = Files.readString(config);
    Files.writeString(
        config, text.replaceFirst("\"shift_factor\": [^,\\s]*", "\"shift_factor\": 0.5"));
    try (DiffusionPipeline pipeline =
            DiffusionPipeline.fromPretrained(ModelConfig.builder(other).build());
        AutoencoderKlDecoder decoder =
            (AutoencoderKlDecoder) pipeline.model().vaeDecoder(Placement.CPU)) {
      assertThat(settings(decoder).shiftFactor()).isEqualTo(shift);
    }
  }

  @Test
  void aTextEncodersModelTypeDoesNotCountWhereItsClassIsKnown() {
    ComponentConfig mt5 =
        ComponentConfig.parse("config.json", "{\"model_type\": \"mt5\", \"d_model\": 32}");
    assertThat(T5Config.of(mt5).gated()).isTrue();
    assertThat(T5Config.of(mt5.ofClass("T5EncoderModel")))
        .isEqualTo(T5Config.of(ComponentConfig.parse("config.json", "{\"d_model\": 32}")));
    ComponentConfig other = ComponentConfig.parse("config.json", "{\"model_type\": \"longt5\"}");
    assertThat(T5Config.of(other.ofClass("MT5EncoderModel")).vocabulary()).isEqualTo(250112);
    assertThat(T5Config.of(other.ofClass("MT5EncoderModel")).positioned()).isFalse();
    assertThat(T5Config.of(mt5.ofClass("UMT5EncoderModel")).positioned()).isTrue();
    assertThatThrownBy(() -> T5Config.of(other))
        .hasMessage(
            "config.json: model_type \"longt5\" is not supported, only \"t5\", \"mt5\" and"
                + " \"umt5\"");
  }

  private static AutoencoderKlConfig settings(AutoencoderKlDecoder decoder) {
    return (AutoencoderKlConfig) decoder.config();
  }
}
