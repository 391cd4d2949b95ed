package io.xfuser.models.internal.pixart;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.Device;
import ai.djl.inference.Predictor;
import ai.djl.modality.cv.Image;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.repository.zoo.Criteria;
import ai.djl.repository.zoo.ModelNotFoundException;
import ai.djl.repository.zoo.ModelZoo;
import ai.djl.repository.zoo.ZooModel;
import ai.djl.training.DefaultTrainingConfig;
import ai.djl.training.ParameterStore;
import ai.djl.training.loss.Loss;
import ai.djl.translate.TranslateException;
import ai.djl.util.PairList;
import ai.djl.util.Progress;
import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.config.ParallelConfig;
import io.xfuser.djl.DiffusersZoo;
import io.xfuser.failure.ArgumentException;
import io.xfuser.failure.ClosedException;
import io.xfuser.pipeline.Generation;
import io.xfuser.pipeline.XDiTParallel;
import java.awt.image.BufferedImage;
import java.io.FileNotFoundException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A pipeline opened by DJL's criteria makes the pictures that it makes without them. */
class CriteriaTest {
  private static final Path MODEL = Path.of("src/test/resources/fixtures/pixart_sigma_tiny");

  private static final InputConfig FOX =
      InputConfig.builder("a red fox")
          .size(64, 96)
          .useResolutionBinning(false)
          .numInferenceSteps(3)
          .build();

  private static final ParallelConfig FOUR =
      ParallelConfig.builder().ulyssesDegree(2).pipefusionDegree(2).numPipelinePatch(3).build();

  private static <I, O> Criteria.Builder<I, O> criteria(Class<I> input, Class<O> output) {
    return Criteria.builder().setTypes(input, output).optModelZoo(new DiffusersZoo(MODEL));
  }

  private static int[] own(InputConfig input, ParallelConfig degrees) {
    EngineConfig engine = EngineConfig.builder(MODEL).parallel(degrees).build();
    try (XDiTParallel ranks = XDiTParallel.inProcess(engine);
        Generation generation = ranks.generate(input)) {
      return pixels(generation.images().get(0));
    }
  }

  private static int[] pixels(Image image) {
    BufferedImage picture = (BufferedImage) image.getWrappedImage();
    return picture.getRGB(
        0, 0, picture.getWidth(), picture.getHeight(), null, 0, picture.getWidth());
  }

  @Test
  void promptsBecomeThePicturesThatTheArgumentsDescribe() throws Exception {
    Criteria<String, Image> criteria =
        criteria(String.class, Image.class)
            .optEngine("PyTorch")
            .optArgument("ulysses_degree", 2)
            .optArgument("pipefusion_parallel_degree", "2")
            .optArgument("num-pipeline-patch", 3)
            .optArgument("attn_layer_num_for_pp", List.of(4, 5))
            .optArgument("use_cfg_parallel", false)
            .optArgument("height", 64)
            .optArgument("width", 96)
            .optArgument("use_resolution_binning", false)
            .optArgument("num_inference_steps", 3)
            .build();
    try (ZooModel<String, Image> model = criteria.loadModel();
        Predictor<String, Image> predictor = model.newPredictor();
        Predictor<String, Image> another = model.newPredictor()) {
      int[] fox = own(FOX, FOUR);
      assertThat(pixels(predictor.predict("a red fox"))).isEqualTo(fox);
      List<Image> both = another.batchPredict(List.of("two blue boats", "a red fox"));
      assertThat(pixels(both.get(0))).isNotEqualTo(fox);
      assertThat(pixels(both.get(1))).isEqualTo(fox);
      assertThat(model.getName()).isEqualTo("pixart_sigma_tiny");
    }
  }

  @Test
  void requestsBecomeGenerations() throws Exception {
    Criteria<InputConfig, Generation> criteria =
        criteria(InputConfig.class, Generation.class).optArgument("ulysses_degree", 2).build();
    try (ZooModel<InputConfig, Generation> model = criteria.loadModel();
        Predictor<InputConfig, Generation> predictor = model.newPredictor()) {
      assertThatThrownBy(() -> predictor.predict(FOX.toBuilder().size(100, 100).build()))
          .isInstanceOf(TranslateException.class)
          .cause()
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("multiples of 16, but are 100 and 100");
      try (Generation generation = predictor.predict(FOX)) {
        assertThat(pixels(generation.images().get(0)))
            .isEqualTo(own(FOX, ParallelConfig.builder().ulyssesDegree(2).build()));
      }
    }
  }

  @ParameterizedTest
  @CsvSource({
    "ulises_degree, 2",
    "model, elsewhere",
    "launcher, process",
    "output_directory, results",
    "height, 64" // a request of its own says that
  })
  void anArgumentWithoutAMeaningIsRefusedByItsName(String name, String value) {
    assertThatThrownBy(
            criteria(InputConfig.class, Generation.class).optArgument(name, value).build()
                ::loadModel)
        .isInstanceOf(ArgumentException.class)
        .hasMessageStartingWith(
            "the criteria have the argument " + name + ", but only [attention_backend");
  }

  @Test
  void whatAPipelineCannotBeIsRefused() {
    assertThatThrownBy(
            criteria(String.class, Image.class).optArgument("ulysses_degree", 0).build()::loadModel)
        .isInstanceOf(ArgumentException.class)
        .hasMessageContaining("ulysses_degree must be at least 1, but is 0");
    assertThatThrownBy(
            criteria(String.class, Image.class).optArgument("num_images_per_prompt", 2).build()
                ::loadModel)
        .isInstanceOf(ArgumentException.class)
        .hasMessageContaining("one picture per prompt");
    assertThatThrownBy(criteria(String.class, String.class).build()::loadModel)
        .isInstanceOf(ModelNotFoundException.class);
    assertThatThrownBy(() -> new DiffusersZoo(Path.of("nowhere")))
        .isInstanceOf(ArgumentException.class)
        .hasMessage("there is no model directory nowhere");
    assertThat(ModelZoo.hasModelZoo("io.xfuser")).as("other criteria do not see it").isFalse();
  }

  @Test
  void whatDjlAsksOfAModelIsAnsweredOrRefusedInASentence() throws Exception {
    ProgressLog progress = new ProgressLog();
    Criteria<String, Image> criteria =
        criteria(String.class, Image.class)
            .optDevice(Device.cpu())
            .optProgress(progress)
            .optModelName("mine")
            .optArgument("num_inference_steps", 1)
            .build();
    ZooModel<String, Image> model = criteria.loadModel();
    assertThat(progress.said).containsExactly("Opening", "1", "end");
    assertThat(model.describeInput().toString()).isEqualTo(pairs("prompt", new Shape()));
    assertThat(model.describeOutput().toString()).isEqualTo(pairs("image", new Shape(-1, -1, 3)));
    assertThat(model.getName()).isEqualTo("mine");
    assertThat(model.getDataType()).isEqualTo(DataType.FLOAT32);
    assertThat(model.getModelPath()).isEqualTo(MODEL);
    assertThat(model.getArtifactNames()).contains("model_index.json", "vae/config.json");
    assertThat(model.getArtifact("model_index.json").toString()).endsWith("model_index.json");
    assertThatThrownBy(() -> model.getArtifact("../../secret"))
        .isInstanceOf(FileNotFoundException.class)
        .hasMessage("../../secret is no file of " + MODEL);
    model.cast(DataType.FLOAT32);
    for (ThrowingCallable refused : refused(model)) {
      assertThatThrownBy(refused)
          .isInstanceOf(UnsupportedOperationException.class)
          .hasMessageStartingWith("a pipeline is no block of tensors: ");
    }
    assertThatThrownBy(() -> model.load(MODEL)).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> model.newPredictor(Device.gpu(3)))
        .isInstanceOf(ArgumentException.class)
        .hasMessageContaining("share the ranks of their model");
    assertThatThrownBy(() -> model.newPredictor(null, Device.cpu()))
        .isInstanceOf(ArgumentException.class)
        .hasMessageContaining("needs a translator");
    Predictor<String, Image> predictor = model.newPredictor();
    assertThatThrownBy(() -> predictor.predict(null))
        .isInstanceOf(TranslateException.class)
        .hasCauseInstanceOf(ArgumentException.class)
        .hasMessageContaining("there is no input");
    assertThat(predictor.batchPredict(List.of())).isEmpty();
    assertThat(predictor.supportsStreaming()).isFalse();
    model.close();
    model.close();
    assertThatThrownBy(() -> predictor.predict("a red fox"))
        .isInstanceOf(TranslateException.class)
        .hasMessage("the pipeline is closed")
        .hasCauseInstanceOf(ClosedException.class);
    predictor.close();
    assertThatThrownBy(model::newPredictor)
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("the model mine was closed");
  }

  private static List<ThrowingCallable> refused(ZooModel<?, ?> model) {
    NDManager manager = model.getNDManager();
    return List.of(
        () ->
            model
                .getBlock()
                .forward(
                    new ParameterStore(manager, false),
                    new NDList(manager.zeros(new Shape(1))),
                    false),
        () -> model.getBlock().getOutputShapes(new Shape[0]),
        () -> model.setBlock(model.getBlock()),
        () -> model.newTrainer(new DefaultTrainingConfig(Loss.l2Loss())),
        () -> model.save(MODEL, "again"),
        () -> model.cast(DataType.FLOAT16),
        () -> model.setDataType(DataType.FLOAT16),
        () -> model.getWrappedModel().quantize(),
        () -> model.getWrappedModel().load(MODEL));
  }

  private static String pairs(String name, Shape shape) {
    return new PairList<>(List.of(name), List.of(shape)).toString();
  }

  @Test
  void criteriaThatContradictThemselvesOrAPipelineAreRefused() {
    assertThatThrownBy(
            criteria(String.class, Image.class)
                    .optDevice(Device.cpu())
                    .optArgument("device", "cuda")
                    .build()
                ::loadModel)
        .isInstanceOf(ArgumentException.class)
        .hasMessage("the criteria's device is cpu, but their argument device is cuda");
    assertThatThrownBy(
            criteria(String.class, Image.class).optArgument("quantize", "int4").build()::loadModel)
        .isInstanceOf(ArgumentException.class)
        .hasMessage("quantize must be int8, but is int4");
    assertThatThrownBy(
            criteria(String.class, Image.class).optDevice(Device.of("npu", 0)).build()::loadModel)
        .isInstanceOf(ArgumentException.class)
        .hasMessage("a pipeline computes on the CPU or on GPUs, not on npu(0)");
    assertThatThrownBy(
            criteria(String.class, Image.class).optFilter("size", "small").build()::loadModel)
        .hasMessage("a pipeline has no use for the filter in the criteria");
    assertThatThrownBy(criteria(String.class, Image.class).optEngine("MXNet").build()::loadModel)
        .isInstanceOf(ModelNotFoundException.class);
    assertThatThrownBy(
            criteria(String.class, Image.class).optArgument("use_torch_compile", true).build()
                ::loadModel)
        .isInstanceOf(ArgumentException.class)
        .hasMessageStartingWith("the criteria have the argument use_torch_compile, but only [");
  }

  /** What DJL's progress is told. */
  private static final class ProgressLog implements Progress {
    private final List<String> said = new ArrayList<>();

    @Override
    public void reset(String message, long max, String trailing) {
      said.add(message);
    }

    @Override
    public void start(long initial) {}

    @Override
    public void end() {
      said.add("end");
    }

    @Override
    public void increment(long increment) {}

    @Override
    public void update(long done, String message) {
      said.add(Long.toString(done));
    }
  }
}
