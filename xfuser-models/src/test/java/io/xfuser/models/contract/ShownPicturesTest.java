package io.xfuser.models.contract;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.config.ModelConfig;
import io.xfuser.pipeline.Generation;
import io.xfuser.pipeline.XDiTParallel;
import io.xfuser.testing.Pixels;
import io.xfuser.torchscript.Torch;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Pictures that are prompts, by adapters as they are published, as in diffusers. */
class ShownPicturesTest {
  private static final Path FOLDER = ShownPictures.FOLDER;

  @TempDir Path scratch;

  static List<DiffusersCall> calls() throws IOException {
    return ReferredPictures.calls(FOLDER);
  }

  @ParameterizedTest
  @MethodSource("calls")
  void everyPictureEqualsThatOfDiffusers(DiffusersCall call) {
    try (NDManager manager = Torch.newManager()) {
      NDArray whole =
          drawn(manager, EngineConfig.builder(model(call)).build(), ShownPictures.input(call));
      assertThat(whole.getShape().getShape()).isEqualTo(call.shape());
      assertThat(
              Pixels.largestDifference(
                  call.strided(whole), ReferredPictures.expected(manager, FOLDER, call)))
          .isLessThanOrEqualTo(1e-3);
    }
  }

  private ModelConfig model(DiffusersCall call) {
    boolean refers = call.json().get("class").asText().contains("Kontext");
    Path directory = refers ? Requests.kontext(call.directory(), scratch) : call.directory();
    return ShownPictures.with(directory, ShownPictures.adapters(call));
  }

  private static NDArray drawn(NDManager manager, EngineConfig engine, InputConfig input) {
    try (XDiTParallel pipeline = XDiTParallel.inProcess(engine);
        Generation generation = pipeline.generate(input)) {
      return Torch.alias(manager, generation.tensor());
    }
  }
}
