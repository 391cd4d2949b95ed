package io.xfuser.models;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.xfuser.config.ModelConfig;
import io.xfuser.failure.ModelException;
import io.xfuser.models.contract.DirectoryCopy;
import io.xfuser.pipeline.DiffusionPipeline;
import io.xfuser.torchscript.Torch;
import io.xfuser.weights.Placement;
import io.xfuser.weights.Share;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What is missing or wrong in any component is said when a model is opened, by its folder. */
class OpeningTest {
  private static final Path FIXTURES = Path.of("src/test/resources/fixtures");
  private static final List<String> VOCABULARIES =
      List.of("vocab.json", "vocab.txt", "spiece.model", "tokenizer.json");

  @TempDir Path directory;

  @BeforeEach
  void prepare() {
    Torch.prepareThread(1);
  }

  private DirectoryCopy copy(String name) throws IOException {
    return DirectoryCopy.of(FIXTURES.resolve(name), directory);
  }

  private void open() {
    DiffusionPipeline.fromPretrained(ModelConfig.builder(directory).build()).close();
  }

  private void assertRefused(String component) {
    assertThatThrownBy(this::open)
        .as(component)
        .isInstanceOf(ModelException.class)
        .hasMessageContaining(directory.resolve(component).toString())
        .message()
        .doesNotContain("\n");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "pixart_sigma_tiny",
        "pixart_alpha_tiny",
        "sd3_tiny",
        "flux_schnell_tiny",
        "hunyuandit_tiny",
        "latte_tiny",
        "dit_tiny"
      })
  void everyFileOfEveryComponentIsMissed(String name) throws IOException {
    copy(name);
    open();
    for (Path folder : list(directory)) {
      if (Files.isDirectory(folder)) {
        String component = String.valueOf(folder.getFileName());
        if (component.startsWith("tokenizer")) {
          refusedWithout(component, VOCABULARIES.stream().map(folder::resolve).toList());
        } else {
          for (Path file : list(folder)) {
            refusedWithout(component, List.of(file));
          }
        }
      }
    }
  }

  /** With an empty file in the place of each that is there, or none. */
  private void refusedWithout(String component, List<Path> files) throws IOException {
    List<Path> there = files.stream().filter(Files::exists).toList();
    for (Path file : there) {
      Files.move(file, away(file));
    }
    assertRefused(component);
    for (Path file : there) {
      if (!component.startsWith("tokenizer")) {
        Files.createFile(file);
        assertRefused(component);
        Files.delete(file);
      }
      Files.move(away(file), file);
    }
  }

  private static Path away(Path file) {
    return file.resolveSibling("away_" + file.getFileName());
  }

  private static List<Path> list(Path folder) throws IOException {
    try (Stream<Path> all = Files.list(folder)) {
      return new ArrayList<>(all.sorted().toList());
    }
  }

  @ParameterizedTest
  @CsvSource({
    "text_encoder, model.safetensors",
    "text_encoder_2, model.safetensors",
    "text_encoder_3, model.safetensors",
    "transformer, diffusion_pytorch_model.safetensors",
    "vae, diffusion_pytorch_model.safetensors"
  })
  void weightsThatEndTooEarlyAreNoticed(String component, String name) throws IOException {
    copy("sd3_tiny");
    Path file = directory.resolve(component).resolve(name);
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
      channel.truncate(channel.size() - 1);
    }
    assertRefused(component);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "sd3_tiny | scheduler/scheduler_config.json | \"shift\": 3.0 | \"shift\": \"far\"",
        "dit_tiny | scheduler/scheduler_config.json | \"linear\" | \"of another kind\"",
        "hunyuandit_tiny | text_encoder/config.json | \"vocab_size\": | \"vocab_size\": 1",
        "hunyuandit_tiny | text_encoder_2/config.json | \"d_ff\": | \"d_ff\": 1",
        "flux_dev_tiny | text_encoder/config.json | \"quick_gelu\" | \"relu\"",
        "latte_tiny | vae/config.json | \"latent_channels\": 4 | \"latent_channels\": 3",
        "pixart_sigma_tiny | tokenizer/tokenizer_config.json | { | {\"padding_side\": \"left\",",
        "pixart_sigma_tiny | vae/config.json | { | {\"quantization_config\": {\"bits\": 8},",
        "flux_dev_tiny | transformer/config.json | { | {\"quantization_config\": {\"bits\": 8},",
        "sd3_tiny | text_encoder_3/config.json | { | {\"quantization_config\": {\"bits\": 8},"
      })
  void settingsThatDoNotFitAreNoticed(String name, String file, String from, String to)
      throws IOException {
    copy(name);
    Path path = directory.resolve(file);
    String text = Files.readString(path);
    assertThat(text).contains(from);
    Files.writeString(path, text.replaceFirst(Pattern.quote(from), to));
    assertRefused(file.substring(0, file.indexOf('/')));
  }

  @ParameterizedTest
  @CsvSource({
    "flux_dev_tiny, text_encoder, clip_l, pooled_projection_dim is 24, hidden_size is 16",
    "flux_schnell_tiny, text_encoder_2, mt5, joint_attention_dim is 32, d_model is 16",
    "sd3_tiny, text_encoder, clip_g, pooled_projection_dim is 40, projection_dim is 12",
    "sd3_no_t5_tiny, text_encoder_2, clip_g, pooled_projection_dim is 40, projection_dim is 12",
    "sd3_tiny, text_encoder_3, mt5, joint_attention_dim is 48, d_model is 16",
    "pixart_alpha_tiny, text_encoder, mt5, caption_channels is 32, d_model is 16",
    "pixart_sigma_tiny, text_encoder, mt5, caption_channels is 32, d_model is 16",
    "hunyuandit_tiny, text_encoder, bert, cross_attention_dim is 24, hidden_size is 16",
    "hunyuandit_tiny, text_encoder_2, mt5, cross_attention_dim_t5 is 24, d_model is 16",
    "latte_tiny, text_encoder, mt5, caption_channels is 24, d_model is 16"
  })
  void aTextEncoderOfAnotherWidthIsNoticed(
      String name, String component, String other, String taken, String given) throws IOException {
    copy(name);
    for (String file : List.of("config.json", "model.safetensors")) {
      Files.copy(
          FIXTURES.resolve("encoders").resolve(other).resolve(file),
          directory.resolve(component).resolve(file),
          StandardCopyOption.REPLACE_EXISTING);
    }
    assertRefused(component);
    assertThatThrownBy(this::open)
        .hasMessageContaining("%s: %s", directory.resolve("transformer/config.json"), taken)
        .hasMessageContaining("%s: %s", directory.resolve(component).resolve("config.json"), given);
  }

  @Test
  void textsAreNotCutToTheWidthOfATransformer() throws IOException {
    copy("sd3_no_t5_tiny")
        .rewrite(
            "transformer/config.json",
            "\"joint_attention_dim\": 48",
            "\"joint_attention_dim\": 32");
    assertThatThrownBy(this::open)
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("joint_attention_dim is 32, but ")
        .hasMessageEndingWith("hidden_size is 24, together 40");
  }

  @Test
  void anEncoderWithoutItsTokenizerIsNoticed() throws IOException {
    copy("sd3_tiny");
    Path index = directory.resolve("model_index.json");
    String text = Files.readString(index);
    Files.writeString(
        index, text.replaceFirst("\"tokenizer_3\": \\[[^]]*]", "\"tokenizer_3\": [null, null]"));
    assertThatThrownBy(this::open)
        .hasMessageEndingWith("there is a text_encoder_3, but no tokenizer_3");
  }

  @Test
  void aComponentOfAnotherLibraryIsNoticed() throws IOException {
    copy("pixart_sigma_tiny").rewrite("model_index.json", "\"transformers\"", "\"optimum\"");
    assertThatThrownBy(this::open)
        .hasMessageEndingWith(
            "text_encoder is T5EncoderModel of optimum, but only classes of diffusers and"
                + " transformers can be used here");
  }

  @Test
  @EnabledOnOs(OS.LINUX)
  void nothingStaysMappedOrOpenOfWhatCannotBeOpened() throws IOException {
    copy("sd3_tiny");
    try (DiffusionPipeline pipeline =
        DiffusionPipeline.fromPretrained(ModelConfig.builder(directory).build())) {
      assertThat(held()).isZero(); // headers are read, nothing is mapped
      Path last = directory.resolve("text_encoder_3/config.json");
      String text = Files.readString(last);
      Files.writeString(last, text.replace("\"d_ff\": ", "\"d_ff\": 1"));
      assertThatThrownBy(() -> pipeline.model().textEncoder(Placement.CPU, Share.WHOLE))
          .hasMessageContaining("text_encoder_3");
      assertThat(held()).isZero();
      pipeline.model().vaeDecoder(Placement.CPU).close();
      assertThat(held()).isZero();
    }
    assertRefused("text_encoder_3");
    assertThat(held()).isZero();
  }

  /** Mappings of files of the directory, and files of it that are open. */
  private long held() throws IOException {
    long count;
    try (Stream<String> lines = Files.lines(Path.of("/proc/self/maps"))) {
      count = lines.filter(line -> line.contains(directory.toString())).count();
    }
    for (Path handle : list(Path.of("/proc/self/fd"))) {
      try {
        if (Files.isSymbolicLink(handle)
            && Files.readSymbolicLink(handle).startsWith(directory.toString())) {
          count++;
        }
      } catch (NoSuchFileException e) {
        // another thread has closed it just now
      }
    }
    return count;
  }
}
