package io.xfuser.models.contract;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.config.ModelConfig;
import io.xfuser.internal.picture.Bitmap;
import io.xfuser.internal.picture.PictureFile;
import io.xfuser.internal.picture.PicturePrompts;
import io.xfuser.model.GivenTensors;
import io.xfuser.model.TextEncoder.PictureEncoder;
import io.xfuser.models.internal.weights.FileWeights;
import io.xfuser.pipeline.DiffusionPipeline;
import io.xfuser.pipeline.Generation;
import io.xfuser.pipeline.XDiTParallel;
import io.xfuser.progress.ProgressListener;
import io.xfuser.testing.Pixels;
import io.xfuser.torchscript.Torch;
import io.xfuser.weights.Placement;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Pictures that are prompts by tokens that differ from step to step, as in diffusers. */
class TimedPicturesTest {
  private static final Path FOLDER = ShownPictures.TIMED;
  private static final Path SD3 = Requests.directory("sd3_tiny");

  static List<DiffusersCall> calls() throws IOException {
    return ReferredPictures.calls(FOLDER);
  }

  @ParameterizedTest
  @MethodSource("calls")
  void everyPictureEqualsThatOfDiffusers(DiffusersCall call) {
    ModelConfig model = ShownPictures.from(FOLDER, call.directory(), ShownPictures.adapters(call));
    InputConfig input = ReferredPictures.input(FOLDER, call);
    List<String> shown = ShownPictures.texts(call, "shown");
    List<String> avoided = ShownPictures.texts(call, "avoided");
    EngineConfig engine = EngineConfig.builder(model).build();
    try (NDManager manager = Torch.newManager();
        DiffusionPipeline pipeline = DiffusionPipeline.fromPretrained(model)) {
      GivenTensors given = GivenTensors.NONE;
      if (avoided.isEmpty()) {
        input = ShownPictures.show(FOLDER, input, shown.get(0));
      } else { // diffusers' ip_adapter_image_embeds has both
        String name = PicturePrompts.tensor(0);
        NDArray of = seen(manager, pipeline, shown.get(0));
        NDArray not = seen(manager, pipeline, avoided.get(0));
        given = new GivenTensors(null, Map.of(name, of, InputConfig.NEGATIVE + name, not));
      }
      try (XDiTParallel ranks = XDiTParallel.inProcess(pipeline, engine);
          Generation drawn = ranks.generate(input, given, ProgressListener.NONE)) {
        assertThat(drawn.tensor().getShape().getShape()).isEqualTo(call.shape());
        NDArray expected = ReferredPictures.expected(manager, FOLDER, call);
        assertThat(Pixels.largestDifference(call.strided(drawn.tensor()), expected))
            .isLessThanOrEqualTo(1e-5);
      }
    }
  }

  private static NDArray seen(NDManager manager, DiffusionPipeline pipeline, String file) {
    Bitmap picture =
        PictureFile.read("image", ShownPictures.pictures(FOLDER, List.of(file)).get(0));
    try (PictureEncoder encoder = pipeline.model().pictureEncoder(Placement.CPU).orElseThrow()) {
      return encoder.see(manager, List.of(picture));
    }
  }

  @Test
  void statesOfTheEncoderEqualThoseOfTransformers() {
    Torch.prepareThread(1);
    ModelConfig model = ShownPictures.from(FOLDER, SD3, "sd3.safetensors");
    try (NDManager manager = Torch.newManager();
        DiffusionPipeline pipeline = DiffusionPipeline.fromPretrained(model);
        FileWeights file = FileWeights.openFile(FOLDER.resolve("pixels.safetensors"), null);
        PictureEncoder encoder = pipeline.model().pictureEncoder(Placement.CPU).orElseThrow()) {
      NDArray expected = file.get(manager, "states", file.shape("states"));
      NDArray found = seen(manager, pipeline, "hills.png");
      assertThat(found.getShape()).isEqualTo(new Shape(1, 16, 24));
      assertThat(Pixels.largestDifference(found, expected)).isLessThanOrEqualTo(1e-5);
      NDArray none = encoder.see(manager, List.of());
      assertThat(none.getShape()).isEqualTo(found.getShape());
      assertThat(Pixels.largestDifference(none, manager.zeros(none.getShape()))).isZero();
    }
  }
}
