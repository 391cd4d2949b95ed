package io.xfuser.models.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.config.ModelConfig;
import io.xfuser.config.ParallelConfig;
import io.xfuser.models.internal.files.OneFile;
import io.xfuser.models.internal.weights.FileWeights;
import io.xfuser.pipeline.DiffusionPipeline;
import io.xfuser.pipeline.Generation;
import io.xfuser.pipeline.XDiTParallel;
import io.xfuser.testing.Pixels;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Torch;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Pictures that are prompts, with weights of 8 bits, LoRAs and guidance away from fewer layers. */
class MixedPicturesTest {
  private static final Path TIMED = ShownPictures.TIMED;
  private static final Path SD3 = Requests.directory("sd3_tiny");
  private static final ParallelConfig SERIAL = ParallelConfig.serial();

  private static final InputConfig FOX = ShownPictures.FOX;
  private static final InputConfig SHOWN = ShownPictures.show(TIMED, FOX, "hills.png");

  @TempDir Path files;
  private final Map<ModelConfig, DiffusionPipeline> opened = new HashMap<>();

  @AfterEach
  void close() {
    opened.values().forEach(DiffusionPipeline::close);
  }

  private static ModelConfig.Builder shown(ModelConfig.Builder model, Path adapter) {
    return model
        .set(ModelConfig.IP_ADAPTER, List.of(adapter + ":0.9"))
        .part("image_encoder", TIMED.resolve("image_encoder"));
  }

  private static ModelConfig.Builder shown(Path directory, String adapter) {
    return shown(ModelConfig.builder(directory), TIMED.resolve(adapter));
  }

  private NDArray drawn(NDManager manager, ModelConfig model, InputConfig input) {
    return drawn(manager, model, input, SERIAL);
  }

  private NDArray drawn(
      NDManager manager, ModelConfig model, InputConfig input, ParallelConfig layout) {
    EngineConfig engine = EngineConfig.builder(model).parallel(layout).build();
    DiffusionPipeline pipeline = opened.computeIfAbsent(model, DiffusionPipeline::fromPretrained);
    try (XDiTParallel ranks = XDiTParallel.inProcess(pipeline, engine);
        Generation generation = ranks.generate(input)) {
      return Torch.copy(manager, generation.tensor());
    }
  }

  /** As near to fp32 as without a picture, and ranks as near as one. */
  @Test
  void with8BitsThePictureIsSeenToo() {
    ModelConfig plain = shown(Requests.directory("sd35_medium_tiny"), "medium.safetensors").build();
    ModelConfig quantized = plain.toBuilder().quantize(ElementType.INT8).build();
    ParallelConfig two = SERIAL.toBuilder().tensorDegree(2).build();
    try (NDManager manager = Torch.newManager()) {
      NDArray exact = drawn(manager, plain, SHOWN);
      double without = Pixels.psnr(drawn(manager, quantized, FOX), drawn(manager, plain, FOX));
      double distance = Pixels.psnr(drawn(manager, quantized, SHOWN), exact);
      assertThat(distance).isBetween(without - 6, without + 10);
      assertThat(Pixels.psnr(drawn(manager, quantized, SHOWN, two), exact))
          .isCloseTo(distance, within(1.0));
    }
  }

  private static Map<String, NDArray> tensors(NDManager manager, Path file) {
    Map<String, NDArray> all = new LinkedHashMap<>();
    try (FileWeights weights = FileWeights.openFile(file, ElementType.FLOAT32)) {
      weights
          .names()
          .forEach(name -> all.put(name, weights.get(manager, name, weights.shape(name))));
    }
    return all;
  }

  /** Of the transformer and of the adapter: the same numbers in fp32 draw the same. */
  @Test
  void ofFilesOfFp8ThePictureIsThatOfTheSameNumbers() throws IOException {
    Torch.prepareThread(1);
    try (NDManager manager = Torch.newManager()) {
      OneFile transformer = new OneFile(manager).add(SD3.resolve("transformer"), "sd3_tiny", "");
      Path few = Fp8Writer.write(files.resolve("few.safetensors"), transformer.tensors());
      Path adapter =
          Fp8Writer.write(
              files.resolve("adapter.safetensors"),
              tensors(manager, TIMED.resolve("sd3.safetensors")));
      Path wide = LoraFormsTest.widened(manager, few);
      Path wideAdapter = LoraFormsTest.widened(manager, adapter);
      NDArray expected =
          drawn(manager, shown(OneFile.beside(wide, SD3), wideAdapter).build(), SHOWN);
      ModelConfig model = shown(OneFile.beside(few, SD3), adapter).build();
      NDArray found = drawn(manager, model, SHOWN);
      assertThat(Pixels.largestDifference(found, expected)).isZero();
      ModelConfig kept = model.toBuilder().keepWeightTypes(true).build();
      assertThat(Pixels.largestDifference(drawn(manager, kept, SHOWN), expected)).isZero();
      assertThat(Pixels.largestDifference(drawn(manager, model, FOX), expected))
          .isGreaterThan(0.05);
    }
  }

  /** The same in the model and in a request, of all layouts; without it nothing of it is left. */
  @Test
  void aLoraChangesTheTransformerBesideTheAdapter() {
    List<String> loras = List.of(DiffusersCall.FIXTURES + "/loras/sd3_diffusers.safetensors");
    ModelConfig plain = shown(SD3, "sd3.safetensors").build();
    ModelConfig fixed = plain.toBuilder().loras(loras).build();
    ModelConfig chosen = plain.toBuilder().dynamicLora(true).build();
    ModelConfig unseen = ModelConfig.builder(SD3).loras(loras).build();
    InputConfig asked = SHOWN.toBuilder().loras(loras).build();
    ParallelConfig two = SERIAL.toBuilder().pipefusionDegree(2).tensorDegree(2).build();
    ParallelConfig patch = two.toBuilder().numPipelinePatch(1).build();
    try (NDManager manager = Torch.newManager()) {
      NDArray expected = drawn(manager, fixed, SHOWN);
      assertThat(Pixels.largestDifference(drawn(manager, chosen, asked), expected)).isZero();
      assertThat(Pixels.largestDifference(drawn(manager, fixed, SHOWN, patch), expected))
          .isLessThanOrEqualTo(1e-4);
      NDArray without = drawn(manager, plain, SHOWN);
      assertThat(Pixels.largestDifference(without, expected)).isGreaterThan(0.01);
      assertThat(Pixels.largestDifference(drawn(manager, chosen, SHOWN), without)).isZero();
      assertThat(Pixels.largestDifference(drawn(manager, unseen, FOX), expected))
          .isGreaterThan(0.05);
    }
  }

  /** One rank of them predicts without layers, and attends the tokens of both pictures there. */
  @Test
  void ranksOfEitherBranchLeadAwayFromFewerLayersAsOneDoes() {
    ModelConfig model = shown(Requests.directory("sd35_medium_tiny"), "medium.safetensors").build();
    InputConfig all = SHOWN.toBuilder().negativePrompts("blurry").guidanceScale(3).build();
    InputConfig input =
        all.toBuilder()
            .numInferenceSteps(3)
            .set(InputConfig.SKIP_GUIDANCE_LAYERS, List.of(1, 4))
            .set(InputConfig.SKIP_LAYER_GUIDANCE_START, 0.0)
            .set(InputConfig.SKIP_LAYER_GUIDANCE_STOP, 0.9)
            .build();
    ParallelConfig cfg = SERIAL.toBuilder().cfgDegree(2).build();
    try (NDManager manager = Torch.newManager()) {
      NDArray expected = drawn(manager, model, input);
      for (ParallelConfig layout :
          CoveringArray.part(
              List.of(
                  cfg.toBuilder().ulyssesDegree(2).build(),
                  cfg,
                  cfg.toBuilder().tensorDegree(2).build()),
              0,
              3)) {
        assertThat(Pixels.largestDifference(drawn(manager, model, input, layout), expected))
            .as(layout.toString())
            .isLessThanOrEqualTo(1e-4);
      }
      assertThat(Pixels.largestDifference(drawn(manager, model, all), expected))
          .isGreaterThan(0.01);
    }
  }
}
