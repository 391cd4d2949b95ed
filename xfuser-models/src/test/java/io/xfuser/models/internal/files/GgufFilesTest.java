package io.xfuser.models.internal.files;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDManager;
import io.xfuser.config.InputConfig;
import io.xfuser.config.InputConfigBuilder;
import io.xfuser.config.ModelConfig;
import io.xfuser.pipeline.Generation;
import io.xfuser.testing.Pixels;
import io.xfuser.torchscript.Torch;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What is known as a file of safetensors is known in GGUF, too, by the same names. */
class GgufFilesTest {
  @TempDir Path files;
  private NDManager manager;

  @BeforeEach
  void open() {
    Torch.prepareThread(1);
    manager = Torch.newManager();
  }

  @AfterEach
  void close() {
    manager.close();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "wan_tiny",
        "wan22_tiny",
        "wan_i2v_tiny",
        "wan22_i2v_tiny",
        "wan_flf_tiny",
        "qwenimage_tiny",
        "zimage_tiny",
        "flux2_tiny",
        "flux2_klein_tiny",
        "flux_dev_tiny",
        "chroma_tiny",
        "sd35_large_tiny"
      })
  void aTransformerHasTheSameNamesAndSettings(String model) throws IOException {
    OneFile file =
        new OneFile(manager).add(OneFile.directory(model).resolve("transformer"), model, "");
    OneFile.requireAlike(
        file.write(files.resolve("x.safetensors")),
        GgufWriter.quantized(files.resolve("x.gguf"), "any", file.tensors()));
  }

  /** Rows of whole blocks in Q8_0; a picture of that type is near the one of fp32, and not it. */
  @ParameterizedTest
  @CsvSource({
    "zimage_tiny, text_encoder, qwen3_gguf, qwen3",
    "flux_dev_tiny, text_encoder_2, t5_gguf, t5encoder",
    "wan_tiny, text_encoder, umt5_gguf, t5encoder"
  })
  void anEncoderOfLlamaCppsNamesTakesThePlaceOfItsOwn(
      String model, String encoder, String table, String architecture) throws IOException {
    Path directory = OneFile.directory(model);
    OneFile file = new OneFile(manager).add(directory.resolve(encoder), table, "");
    Path exact = GgufWriter.write(files.resolve("x.gguf"), architecture, file.tensors());
    Path few = GgufWriter.quantized(files.resolve("q8.gguf"), architecture, file.tensors());
    ModelConfig.Builder own = ModelConfig.builder(directory).keepWeightTypes(false);
    try (Generation expected = OneFile.draw(own.build(), asked(model));
        Generation found = OneFile.draw(own.part(encoder, exact).build(), asked(model));
        Generation rounded = OneFile.draw(own.part(encoder, few).build(), asked(model));
        Generation kept =
            OneFile.draw(own.part(encoder, few).keepWeightTypes(true).build(), asked(model))) {
      assertThat(Pixels.largestDifference(found.tensor(), expected.tensor())).isZero();
      assertThat(Pixels.largestDifference(kept.tensor(), rounded.tensor())).isZero();
      assertThat(Pixels.largestDifference(rounded.tensor(), expected.tensor()))
          .isBetween(1e-5, 0.2);
    }
  }

  private static InputConfigBuilder asked(String model) {
    InputConfigBuilder fox = InputConfig.builder("a fox").size(32, 48);
    return model.startsWith("wan") ? fox.numFrames(5) : fox;
  }
}
