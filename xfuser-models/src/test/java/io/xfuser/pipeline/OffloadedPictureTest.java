package io.xfuser.pipeline;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.Device;
import ai.djl.ndarray.NDManager;
import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.config.ModelConfig;
import io.xfuser.config.Offload;
import io.xfuser.config.OutputType;
import io.xfuser.internal.device.SimulatedGpu;
import io.xfuser.internal.parallel.ForwardingTransport;
import io.xfuser.internal.parallel.Transport;
import io.xfuser.internal.parallel.World;
import io.xfuser.internal.parallel.inprocess.InProcessRanks;
import io.xfuser.internal.plan.RequestPlan;
import io.xfuser.internal.runtime.PlacedPipeline;
import io.xfuser.internal.runtime.RankCourse;
import io.xfuser.internal.runtime.RankResult;
import io.xfuser.internal.runtime.RankRun;
import io.xfuser.internal.runtime.RequestWatch;
import io.xfuser.internal.runtime.StepGate;
import io.xfuser.internal.weights.Lora;
import io.xfuser.model.GivenTensors;
import io.xfuser.model.VaeDecoder;
import io.xfuser.progress.Progress;
import io.xfuser.report.RunReport;
import io.xfuser.torchscript.SharedTensor;
import io.xfuser.torchscript.Torch;
import io.xfuser.weights.Placement;
import io.xfuser.weights.Share;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.BiConsumer;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Whole pictures whose weights come and go; the CPU stands for the GPU that they leave. */
class OffloadedPictureTest {
  private static final Path MODEL = Path.of("src/test/resources/fixtures/pixart_sigma_tiny");

  private static final InputConfig FOX =
      InputConfig.builder("a red fox")
          .size(64, 64)
          .useResolutionBinning(false)
          .numInferenceSteps(2)
          .outputType(OutputType.PT)
          .build();

  @BeforeEach
  void prepare() {
    Torch.prepareThread(1);
  }

  private static DiffusionPipeline open() {
    return DiffusionPipeline.fromPretrained(EngineConfig.of(MODEL).model());
  }

  private static RankResult draw(DiffusionPipeline pipeline, Offload offload) {
    return draw(pipeline, offload, List.of());
  }

  private static RankResult draw(DiffusionPipeline pipeline, Offload offload, List<Lora> loras) {
    EngineConfig engine = engine(offload);
    RequestWatch watch = new RequestWatch((rank, progress) -> {}, false);
    RankRun run = RankRun.of(plan(pipeline, engine), new World(alone()), watch);
    return draw(on(pipeline, pipeline.placement(engine, Device.cpu(), loras)), run);
  }

  private static EngineConfig engine(Offload offload) {
    return EngineConfig.builder(MODEL).runtime(r -> r.offload(offload)).build();
  }

  private static Transport alone() {
    return new InProcessRanks(1, Duration.ofSeconds(60)).transport(0);
  }

  private static RequestPlan plan(DiffusionPipeline pipeline, EngineConfig engine) {
    return RequestPlan.of(engine, pipeline.spec(), pipeline.model().resolve(FOX));
  }

  private static RankResult draw(PlacedPipeline<?> placed, RankRun run) {
    try (run) {
      return Objects.requireNonNull(
          RankCourse.of(placed, run, GivenTensors.NONE, null).go(new StepGate()));
    }
  }

  private static PlacedPipeline<?> placed(DiffusionPipeline pipeline, Offload offload) {
    return on(pipeline, pipeline.placement(engine(offload), Device.cpu(), List.of()));
  }

  /** Kept without a lease: there is no other choice that would take its place. */
  private static PlacedPipeline<?> on(DiffusionPipeline pipeline, Placement placement) {
    return pipeline.on(placement).get();
  }

  private static float[] pixels(RankResult result) {
    try (NDManager scope = Torch.newManager();
        SharedTensor tensor = Objects.requireNonNull(result.pictures().tensor())) {
      return tensor.receive(scope).toFloatArray();
    }
  }

  @ParameterizedTest
  @EnumSource(Offload.class)
  void picturesAreTheSameAndNothingStaysThatIsToLeave(Offload offload) {
    try (DiffusionPipeline kept = open();
        DiffusionPipeline pipeline = open()) {
      float[] expected = pixels(draw(kept, Offload.NONE));
      boolean stays = offload == Offload.NONE;
      for (int call = 0; call < 2; call++) {
        assertThat(pixels(draw(pipeline, offload))).isEqualTo(expected);
        PlacedPipeline<?> placed = placed(pipeline, offload);
        assertThat(placed.textEncoderBytes() > 0).isEqualTo(stays);
        assertThat(placed.vaeDecoder().bytes(VaeDecoder::parameterBytes) > 0).isEqualTo(stays);
        for (int block = 0; block < pipeline.spec().depth(); block++) {
          assertThat(placed.transformer().block(block, Share.WHOLE).weights().isLoaded())
              .isEqualTo(stays);
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Offload.class)
  void aLoraComesAndLeavesWithTheWeights(Offload offload) {
    ModelConfig changed =
        ModelConfig.builder(MODEL).loras("src/test/resources/fixtures/loras/pixart_peft").build();
    try (DiffusionPipeline plain = open();
        DiffusionPipeline pipeline = DiffusionPipeline.fromPretrained(changed)) {
      List<Lora> loras = pipeline.loras().of(FOX);
      assertThat(loras).hasSize(1);
      float[] expected = pixels(draw(pipeline, Offload.NONE, loras));
      assertThat(expected).isNotEqualTo(pixels(draw(plain, Offload.NONE)));
      for (int call = 0; call < 2; call++) {
        assertThat(pixels(draw(pipeline, offload, loras))).isEqualTo(expected);
      }
    }
  }

  @Test
  void aReportNamesTheDeviceAndLeavesOutWhatTheCpuHasNot() {
    try (DiffusionPipeline pipeline = open()) {
      RankResult result = draw(pipeline, Offload.NONE);
      pixels(result);
      assertThat(result.report().toJson())
          .contains("\"device\" : \"cpu\"")
          .doesNotContain("peak_device_bytes");
    }
  }

  /** The host goes on at once while a simulated GPU works for 40 ms in each step. */
  @Test
  void timesAndListenersAreThoseOfTheGpu() {
    SimulatedGpu gpu = new SimulatedGpu();
    List<String> course = new ArrayList<>();
    Transport enqueues =
        new ForwardingTransport(alone()) {
          @Override
          public void activity(String what) {
            if (what.contains(" of ")) {
              course.add(what);
              gpu.compute(40);
            }
          }
        };
    BiConsumer<Integer, Progress> listener =
        (rank, progress) -> {
          if (progress instanceof Progress.Denoising steps && steps.done() > 0) {
            course.add("told of " + steps.done() + " at " + gpu.now());
          }
        };
    EngineConfig engine = EngineConfig.of(MODEL);
    RequestWatch watch = new RequestWatch(listener, false);
    try (DiffusionPipeline pipeline = open()) {
      RankResult result =
          draw(
              placed(pipeline, Offload.NONE),
              RankRun.of(plan(pipeline, engine), new World(enqueues), watch, gpu.clock()));
      pixels(result);
      assertThat(course)
          .containsExactly(
              "in synchronous step 1 of 2",
              "in synchronous step 2 of 2",
              "told of 1 at 40.0",
              "told of 2 at 80.0");
      RunReport report = result.report();
      assertThat(report.stepSeconds()).allSatisfy(s -> assertThat(s).isEqualTo(0.040));
      assertThat(report.denoiseSeconds()).isEqualTo(0.080);
      assertThat(gpu.events()).isZero();
    }
  }

  @Test
  void ranksOfOneDeviceShareWeightsAndThoseOfTwoDoNot() {
    try (DiffusionPipeline pipeline = open()) {
      Placement first = Placement.on(Device.gpu(0));
      assertThat(on(pipeline, first)).isSameAs(on(pipeline, Placement.on(Device.gpu(0))));
      assertThat(on(pipeline, first)).isNotSameAs(on(pipeline, Placement.on(Device.gpu(1))));
      assertThat(on(pipeline, first)).isNotSameAs(on(pipeline, Placement.CPU));
      assertThat(pipeline.transformerBytes()).isZero(); // nobody has asked for a part
    }
  }
}
