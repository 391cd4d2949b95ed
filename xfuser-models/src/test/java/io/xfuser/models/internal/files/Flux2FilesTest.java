package io.xfuser.models.internal.files;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.config.ModelConfig;
import io.xfuser.config.OutputType;
import io.xfuser.internal.weights.SafeTensorsWriter;
import io.xfuser.models.internal.weights.Checkpoint;
import io.xfuser.pipeline.Generation;
import io.xfuser.pipeline.XDiTParallel;
import io.xfuser.testing.Pixels;
import io.xfuser.torchscript.Torch;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
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

  /** ComfyUI's has neither the layers after the one that is looked at last nor the norm there. */
  @Test
  void itsLanguageModelMayBeAFileWholeOrCut() throws IOException {
    Torch.prepareThread(1);
    Path encoder = DIRECTORY.resolve("text_encoder");
    try (NDManager manager = Torch.newManager()) {
      OneFile whole = new OneFile(manager).add(encoder, "");
      Map<String, NDArray> cut = new LinkedHashMap<>();
      cut.put(
          "tekken_model",
          manager.create(new byte[] {7}, new Shape(1)).toType(DataType.UINT8, false));
      whole.tensors().entrySet().stream()
          .filter(one -> one.getKey().matches("language_model\\.model\\.(embed|layers).*"))
          .filter(one -> !one.getKey().contains("layers.30."))
          .forEach(one -> cut.put(one.getKey().substring(15), one.getValue()));
      Path few = files.resolve("mistral_3_small_flux2.safetensors");
      SafeTensorsWriter.write(few, cut);
      Path all = whole.write(files.resolve("mistral.safetensors"));
      ModelConfig.Builder model = ModelConfig.builder(DIRECTORY).keepWeightTypes(false);
      try (Generation expected = drawn(model.build());
          Generation ofAll = drawn(model.part("text_encoder", all).build());
          Generation ofFew = drawn(model.part("text_encoder", few).build())) {
        assertThat(Pixels.largestDifference(ofAll.tensor(), expected.tensor())).isZero();
        assertThat(Pixels.largestDifference(ofFew.tensor(), expected.tensor())).isZero();
      }
      assertThat(Checkpoint.read(few).components())
          .singleElement()
          .satisfies(
              found ->
                  assertThat(found.format().config(found.tensors()))
                      .containsEntry("num_hidden_layers", 30));
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
