package io.xfuser.models.internal.files;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDManager;
import io.xfuser.config.ModelConfig;
import io.xfuser.failure.ModelException;
import io.xfuser.models.contract.CoveringArray;
import io.xfuser.testing.Mutations;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Torch;
import io.xfuser.weights.LoadOptions;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A broken file of a model or of a component is refused in a sentence, or taken as it is. */
class BrokenSingleFilesTest {
  private static final int MUTATIONS = CoveringArray.ALL ? 1000 : 250;
  private static final Duration MOST = Duration.ofSeconds(300);

  @TempDir Path files;

  @ParameterizedTest
  @CsvSource({
    "flux_dev_tiny, transformer, flux_dev_tiny, ''",
    "sd35_medium_tiny, transformer, sd35_medium_tiny, ''",
    "wan_i2v_tiny, transformer, wan_i2v_tiny, ''",
    "flux_dev_tiny, vae, vae, vae",
    "flux_dev_tiny, text_encoder_2, t5_gguf, text_encoder_2"
  })
  void aBrokenFileIsRefusedInASentenceOrTaken(
      String pipeline, String component, String table, String part) throws IOException {
    Path directory = OneFile.directory(pipeline);
    Path file = files.resolve("x.safetensors");
    Torch.prepareThread(1);
    try (NDManager manager = Torch.newManager()) {
      OneFile original = new OneFile(manager).add(directory.resolve(component), table, "");
      if (table.endsWith("gguf")) {
        GgufWriter.write(file, "t5encoder", original.tensors());
      } else {
        original.write(file);
      }
    }
    Mutations mutations = mutations(Files.readAllBytes(file));
    ModelConfig model =
        part.isEmpty()
            ? OneFile.beside(file, directory).build()
            : ModelConfig.builder(directory).part(part, file).build();
    int refused = Assertions.assertTimeoutPreemptively(MOST, () -> refused(mutations, file, model));
    assertThat(refused).isBetween(MUTATIONS / 5, MUTATIONS - 1);
  }

  private static Mutations mutations(byte[] file) {
    long length = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN).getLong();
    boolean gguf = file[0] == 'G';
    int header = gguf ? 3000 : (int) length + 8;
    return new Mutations(file, header, 7200);
  }

  private static int refused(Mutations mutations, Path file, ModelConfig model) throws IOException {
    int refused = 0;
    for (int i = 0; i < MUTATIONS; i++) {
      Files.write(file, mutations.next());
      try {
        new SingleFiles().assemble(model, List.of(), LoadOptions.of(ElementType.FLOAT32));
      } catch (ModelException e) {
        assertThat(e.getMessage()).doesNotContain("\n").hasSizeLessThan(2000);
        refused++;
      }
    }
    return refused;
  }
}
