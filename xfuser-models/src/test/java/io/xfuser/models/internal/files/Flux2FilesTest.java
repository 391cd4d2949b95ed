package io.xfuser.models.internal.files;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDManager;
import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.config.ModelConfig;
import io.xfuser.config.OutputType;
import io.xfuser.pipeline.Generation;
import io.xfuser.pipeline.XDiTParallel;
import io.xfuser.testing.Pixels;
import io.xfuser.torchscript.Torch;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** An autoencoder whose latents are normalised, in a file of its authors' names. */
class Flux2FilesTest {
  private static final Path DIRECTORY = OneFile.directory("flux2_tiny");

  @TempDir Path files;

  /** Of the files alone all is known but the groups of norms, of which published ones have 32. */
  @Test
  void itIsKnownByItsNamesAndDrawsWhatTheDirectoryDraws() throws IOException {
    Torch.prepareThread(1);
    try (NDManager manager = Torch.newManager()) {
      Path vae =
          new OneFile(manager)
              .add(DIRECTORY.resolve("vae"), "flux2_vae", "")
              .write(files.resolve("flux2-vae.safetensors"));
      ModelConfig inFiles =
          OneFile.alone(DIRECTORY, "flux2_tiny", files.resolve("flux2-dev.safetensors"))
              .part("vae", vae)
              .build();
      ModelConfig exchanged = ModelConfig.builder(DIRECTORY).part("vae", vae).build();
      try (Generation expected = drawn(ModelConfig.builder(DIRECTORY).build());
          Generation same = drawn(exchanged);
          Generation found = drawn(inFiles)) {
        assertThat(Pixels.largestDifference(same.tensor(), expected.tensor())).isZero();
        assertThat(found.tensor().getShape()).isEqualTo(expected.tensor().getShape());
      }
    }
  }

  private static Generation drawn(ModelConfig model) {
    try (XDiTParallel pipeline = XDiTParallel.inProcess(EngineConfig.builder(model).build())) {
      return pipeline.generate(
          InputConfig.builder("a fox")
              .size(32, 48)
              .numInferenceSteps(1)
              .maxSequenceLength(150)
              .outputType(OutputType.PT)
              .build());
    }
  }
}
