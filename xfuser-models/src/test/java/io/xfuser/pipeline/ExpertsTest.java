package io.xfuser.pipeline;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.Device;
import ai.djl.ndarray.NDManager;
import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.config.Offload;
import io.xfuser.config.OutputType;
import io.xfuser.internal.parallel.World;
import io.xfuser.internal.parallel.inprocess.InProcessRanks;
import io.xfuser.internal.plan.RequestPlan;
import io.xfuser.internal.runtime.KeptTexts;
import io.xfuser.internal.runtime.PlacedPipeline;
import io.xfuser.internal.runtime.RankCourse;
import io.xfuser.internal.runtime.RankResult;
import io.xfuser.internal.runtime.RankRun;
import io.xfuser.internal.runtime.RequestWatch;
import io.xfuser.internal.runtime.StepGate;
import io.xfuser.model.GivenTensors;
import io.xfuser.model.PipelineModel;
import io.xfuser.torchscript.SharedTensor;
import io.xfuser.torchscript.TensorMap;
import io.xfuser.torchscript.Torch;
import io.xfuser.transformer.Block;
import io.xfuser.transformer.BlockContext;
import io.xfuser.transformer.Conditioner;
import io.xfuser.transformer.Embedding;
import io.xfuser.transformer.Head;
import io.xfuser.transformer.Hidden;
import io.xfuser.transformer.Part;
import io.xfuser.transformer.TransformerSpec;
import io.xfuser.weights.Placement;
import io.xfuser.weights.Share;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Two transformers, each for its steps; the CPU stands for the GPU that weights leave. */
class ExpertsTest {
  private static final Path MODEL = Path.of("src/test/resources/fixtures/wan22_tiny");

  /** Of whose three steps the first transformer takes one. */
  private static final InputConfig FOX =
      InputConfig.builder("a red fox")
          .size(48, 80)
          .numFrames(5)
          .maxSequenceLength(20)
          .numInferenceSteps(3)
          .outputType(OutputType.LATENT)
          .build();

  /** What is read and computed, and how much is in memory then. */
  private static final class Watch {
    private final List<Part> parts = new ArrayList<>();
    private final List<String> events = new ArrayList<>();
    private long most;

    private <P extends Part> P read(int transformer, P part) {
      parts.add(part);
      happens("read " + transformer);
      return part;
    }

    private void happens(String what) {
      events.add(what);
      most = Math.max(most, bytes(parts.stream().filter(x -> x.weights().isLoaded()).toList()));
    }

    private static long bytes(List<Part> parts) {
      return parts.stream().mapToLong(Part::parameterBytes).sum();
    }
  }

  private record Watched<C>(PipelineModel<C> model, Watch watch)
      implements PipelineModel.Forwarding<C> {
    @Override
    public TransformerSpec<C> transformer(Placement placement) {
      return transformers(placement).get(0);
    }

    @Override
    public List<TransformerSpec<C>> transformers(Placement placement) {
      List<TransformerSpec<C>> all = model.transformers(placement);
      return IntStream.range(0, all.size())
          .<TransformerSpec<C>>mapToObj(i -> new WatchedSpec<>(all.get(i), i, watch))
          .toList();
    }

    @Override
    public void close() {}
  }

  private record WatchedSpec<C>(TransformerSpec<C> spec, int number, Watch watch)
      implements TransformerSpec<C> {
    @Override
    public int depth() {
      return spec.depth();
    }

    @Override
    public int heads() {
      return spec.heads();
    }

    @Override
    public int headSize() {
      return spec.headSize();
    }

    @Override
    public Block<C> block(int index, Share share) {
      return watch.read(
          number, new WatchedBlock<>(spec.block(index, share), () -> watch.happens("" + number)));
    }

    @Override
    public Embedding<C> embedding() {
      return watch.read(number, spec.embedding());
    }

    @Override
    public Head<C> head() {
      return watch.read(number, spec.head());
    }

    @Override
    public Conditioner<C> conditioner() {
      return watch.read(number, spec.conditioner());
    }
  }

  private record WatchedBlock<C>(Block<C> block, Runnable before) implements Block<C> {
    @Override
    public TensorMap weights() {
      return block.weights();
    }

    @Override
    public Hidden forward(NDManager owner, Hidden x, C conditioning, BlockContext context) {
      before.run();
      return block.forward(owner, x, conditioning, context);
    }
  }

  private static float[] draw(PipelineModel<?> model, TransformerSpec<?> spec, Offload offload) {
    Torch.prepareThread(1);
    EngineConfig engine = EngineConfig.builder(MODEL).runtime(r -> r.offload(offload)).build();
    RequestWatch watch = new RequestWatch((rank, progress) -> {}, false);
    World world = new World(new InProcessRanks(1, Duration.ofSeconds(60)).transport(0));
    RequestPlan plan = RequestPlan.of(engine, spec, model.resolve(FOX));
    Placement placement = new Placement(Device.cpu(), offload == Offload.SEQUENTIAL);
    try (PlacedPipeline<?> placed = PlacedPipeline.of(model, placement, new KeptTexts(0));
        RankRun run = RankRun.of(plan, world, watch);
        NDManager scope = Torch.newManager()) {
      RankCourse course = RankCourse.of(placed, run, GivenTensors.NONE, null);
      RankResult result = Objects.requireNonNull(course.go(new StepGate()));
      try (SharedTensor tensor = Objects.requireNonNull(result.pictures().tensor())) {
        return tensor.receive(scope).toFloatArray();
      }
    }
  }

  private static DiffusionPipeline open() {
    return DiffusionPipeline.fromPretrained(EngineConfig.of(MODEL).model());
  }

  private static float[] draw(DiffusionPipeline pipeline, Watch watch, Offload offload) {
    return draw(new Watched<>(pipeline.model(), watch), pipeline.spec(), offload);
  }

  @Test
  void noMoreThanOneTransformerAndABlockAreInMemory() {
    try (DiffusionPipeline pipeline = open()) {
      Watch kept = new Watch();
      float[] expected = draw(pipeline, kept, Offload.NONE);
      Watch left = new Watch();
      assertThat(draw(pipeline, left, Offload.MODEL)).isEqualTo(expected);
      long all = Watch.bytes(left.parts);
      long block =
          left.parts.stream()
              .filter(part -> part instanceof WatchedBlock<?>)
              .mapToLong(Part::parameterBytes)
              .max()
              .orElseThrow();
      assertThat(kept.most).isEqualTo(all);
      assertThat(left.most).isBetween(all / 2, all / 2 + block);
    }
  }

  @ParameterizedTest
  @EnumSource(Offload.class)
  void theSecondIsReadOnceTheFirstHasTakenItsSteps(Offload offload) {
    try (DiffusionPipeline pipeline = open()) {
      Watch watch = new Watch();
      draw(pipeline, watch, offload);
      int depth = pipeline.spec().depth();
      assertThat(watch.events.lastIndexOf("read 0")).isLessThan(watch.events.indexOf("0"));
      assertThat(watch.events.lastIndexOf("0")).isLessThan(watch.events.indexOf("read 1"));
      assertThat(watch.events.lastIndexOf("read 1")).isLessThan(watch.events.indexOf("1"));
      assertThat(watch.events.stream().filter("0"::equals)).hasSize(depth);
      assertThat(watch.events.stream().filter("1"::equals)).hasSize(2 * depth);
    }
  }
}
