package io.xfuser.models.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.config.ModelConfig;
import io.xfuser.config.OutputType;
import io.xfuser.failure.ArgumentException;
import io.xfuser.model.GivenTensors;
import io.xfuser.models.internal.weights.FileWeights;
import io.xfuser.pipeline.Generation;
import io.xfuser.pipeline.XDiTParallel;
import io.xfuser.progress.Progress;
import io.xfuser.progress.ProgressListener;
import io.xfuser.testing.Pixels;
import io.xfuser.torchscript.Torch;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Pictures that are prompts and count for nothing, and what stands for those not given. */
class UnseenPicturesTest {
  private static final Path TIMED = ShownPictures.TIMED;
  private static final Path SD3 = Requests.directory("sd3_tiny");
  private static final String SEEN = "ip_adapter_image_embeds";
  private static final String AVOIDED = "negative_ip_adapter_image_embeds";

  private static final InputConfig FOX =
      InputConfig.builder("a red fox")
          .size(32, 48)
          .numInferenceSteps(2)
          .maxSequenceLength(20)
          .outputType(OutputType.PT)
          .build();

  @TempDir Path scratch;

  /** What is drawn, and what was loaded for it. */
  private record Drawn(NDArray picture, Set<Progress.Component> loaded) {}

  private static Drawn drawn(
      NDManager manager, ModelConfig model, InputConfig input, Map<String, NDArray> given) {
    Set<Progress.Component> loaded = ConcurrentHashMap.newKeySet();
    ProgressListener listener =
        progress -> {
          if (progress instanceof Progress.Loading loading) {
            loaded.add(loading.component());
          }
          return true;
        };
    try (XDiTParallel ranks = XDiTParallel.inProcess(EngineConfig.builder(model).build());
        Generation drawn = ranks.generate(input, new GivenTensors(null, given), listener)) {
      return new Drawn(Torch.copy(manager, drawn.tensor()), loaded);
    }
  }

  /** Diffusers lets Stable Diffusion 3 see none by a scale below zero, too. */
  @ParameterizedTest
  @CsvSource({
    "sd3_tiny, timed_adapters, sd3.safetensors:0, false",
    "sd3_tiny, timed_adapters, sd3.safetensors:-0.5, false",
    "sd3_tiny, timed_adapters, sd3.safetensors:0.5, true",
    "flux_dev_tiny, ip_adapters, 'dev.safetensors:0,0.0', false",
    "flux_dev_tiny, ip_adapters, dev.safetensors:-0.5, true"
  })
  void whatCountsForNothingIsNotSeen(String name, String folder, String adapter, boolean seen) {
    Path directory = Requests.directory(name);
    Path adapters = TIMED.resolveSibling(folder);
    ModelConfig model = ShownPictures.from(adapters, directory, adapter);
    InputConfig shown = ShownPictures.show(adapters, FOX, "hills.png");
    try (NDManager manager = Torch.newManager()) {
      ModelConfig without = ModelConfig.builder(directory).build();
      NDArray plain = drawn(manager, without, FOX, Map.of()).picture();
      Drawn found = drawn(manager, model, shown, Map.of());
      assertThat(found.loaded().contains(Progress.Component.PICTURE_ENCODER)).isEqualTo(seen);
      assertThat(Pixels.largestDifference(found.picture(), plain) > 1e-3).isEqualTo(seen);
      if (!seen) {
        assertThat(Pixels.largestDifference(found.picture(), plain)).isZero();
      }
    }
  }

  private static NDArray states(NDManager manager) {
    try (FileWeights file = FileWeights.openFile(TIMED.resolve("pixels.safetensors"), null)) {
      return file.get(manager, "states", file.shape("states")); // (1, 16, 24)
    }
  }

  /** In diffusers a scale below zero takes states that are given away. */
  @Test
  void statesThatAreGivenCountByAScaleBelowZero() {
    Torch.prepareThread(1);
    ModelConfig model = ShownPictures.from(TIMED, SD3, "sd3.safetensors:-0.5");
    try (NDManager manager = Torch.newManager()) {
      NDArray plain = drawn(manager, model, FOX, Map.of()).picture();
      NDArray found = drawn(manager, model, FOX, Map.of(SEEN, states(manager))).picture();
      assertThat(Pixels.largestDifference(found, plain)).isGreaterThan(1e-3);
    }
  }

  /** The resampler attends states beside its own tokens: twice as many are not the same picture. */
  @Test
  void zerosOfTheSameShapeStandForStatesThatAreNotGiven() throws IOException {
    Torch.prepareThread(1);
    Path alone = scratch.resolve("alone.safetensors"); // no encoder is beside it
    Files.copy(TIMED.resolve("sd3.safetensors"), alone);
    ModelConfig model = ShownPictures.alone(SD3, alone);
    try (NDManager manager = Torch.newManager()) {
      NDArray one = states(manager);
      NDArray two = Torch.concat(manager, List.of(one, one), 1);
      NDArray zeros = Torch.zerosLike(manager, two);
      for (String name : List.of(SEEN, AVOIDED)) {
        Map<String, NDArray> both = new HashMap<>(Map.of(SEEN, zeros, AVOIDED, zeros));
        both.put(name, two);
        NDArray expected = drawn(manager, model, FOX, both).picture();
        NDArray found = drawn(manager, model, FOX, Map.of(name, two)).picture();
        assertThat(Pixels.largestDifference(found, expected)).isZero();
      }
      assertThatThrownBy(() -> drawn(manager, model, FOX, Map.of(SEEN, two, AVOIDED, one)))
          .isInstanceOf(ArgumentException.class)
          .hasMessage(
              "negative_ip_adapter_image_embeds has the shape (1, 16, 24), but"
                  + " ip_adapter_image_embeds has (1, 32, 24): they must be alike");
    }
  }
}
