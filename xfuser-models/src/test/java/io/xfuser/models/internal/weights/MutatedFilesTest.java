package io.xfuser.models.internal.weights;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDManager;
import io.xfuser.failure.ModelException;
import io.xfuser.models.contract.CoveringArray;
import io.xfuser.models.contract.DirectoryCopy;
import io.xfuser.models.internal.files.OneFile;
import io.xfuser.testing.Mutations;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Torch;
import io.xfuser.weights.LoadOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Objects;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A broken file of weights is refused in a sentence, or read: nothing else happens. */
class MutatedFilesTest {
  private static final int MUTATIONS = CoveringArray.ALL ? 1000 : 300;
  private static final Duration MOST = Duration.ofSeconds(300);

  @TempDir Path directory;

  @BeforeEach
  void prepare() {
    Torch.prepareThread(1);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "blocks.gguf",
        "fp8_plain.safetensors",
        "fp8_scaled.safetensors",
        "comfy_quant.safetensors"
      })
  void aBrokenFileIsRefusedInASentenceOrRead(String name) throws Exception {
    byte[] original =
        Files.readAllBytes(
            Path.of(
                Objects.requireNonNull(getClass().getResource("/fixtures/formats/" + name))
                    .toURI()));
    Mutations mutations = new Mutations(original, headerOf(name, original), 7100);
    Path file = directory.resolve(name);
    int refused = Assertions.assertTimeoutPreemptively(MOST, () -> refused(mutations, file));
    assertThat(refused).isBetween(MUTATIONS / 4, MUTATIONS - 1);
  }

  /** Files that are named in a list, which is broken. */
  @Test
  void aBrokenListOfFilesIsRefusedInASentenceOrRead() throws IOException {
    Path original = OneFile.directory("pixart_sigma_tiny").resolve("transformer");
    Path folder = DirectoryCopy.of(original, directory).directory();
    Path list = folder.resolve("diffusion_pytorch_model.safetensors.index.json");
    byte[] whole = Files.readAllBytes(list);
    Mutations mutations = new Mutations(whole, whole.length, 7104);
    int refused = 0;
    for (int i = 0; i < MUTATIONS; i++) {
      Files.write(list, mutations.next());
      LoadOptions loading = LoadOptions.of(ElementType.FLOAT32);
      try (ComponentWeights weights =
          ComponentWeights.open(folder, "diffusion_pytorch_model", loading)) {
        assertThat(weights.names()).isNotEmpty();
      } catch (ModelException e) {
        assertThat(e.getMessage()).doesNotContain("\n").hasSizeLessThan(1000);
        refused++;
      }
    }
    assertThat(refused).isBetween(MUTATIONS / 4, MUTATIONS - 1);
  }

  private static int refused(Mutations mutations, Path file) throws IOException {
    Torch.prepareThread(1);
    int refused = 0;
    for (int i = 0; i < MUTATIONS; i++) {
      Files.write(file, mutations.next());
      refused += isRefused(file) ? 1 : 0;
    }
    return refused;
  }

  /** Bytes before the data begin. */
  private static int headerOf(String name, byte[] file) {
    return name.endsWith(".gguf") ? 1200 : 8 + (file[0] & 0xFF) + ((file[1] & 0xFF) << 8);
  }

  private static boolean isRefused(Path file) {
    try (FileWeights weights = FileWeights.openFile(file, ElementType.FLOAT32);
        NDManager manager = Torch.newManager()) {
      for (String name : weights.names()) {
        weights.get(manager, name, weights.shape(name));
      }
      return false;
    } catch (ModelException e) {
      assertThat(e).hasMessageContaining(file.getFileName().toString());
      assertThat(e.getMessage()).doesNotContain("\n").hasSizeLessThan(1000);
      return true;
    }
  }
}
