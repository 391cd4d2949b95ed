package io.xfuser.pipeline;

import static org.assertj.core.api.Assertions.assertThat;

import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.config.ModelConfig;
import io.xfuser.config.Offload;
import io.xfuser.internal.plan.RequestPlan;
import io.xfuser.internal.runtime.Residents;
import io.xfuser.model.PipelineModel;
import io.xfuser.model.TextEncoder;
import io.xfuser.torchscript.ElementType;
import io.xfuser.transformer.TransformerSpec;
import io.xfuser.weights.Placement;
import io.xfuser.weights.Share;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** How many blocks stay within {@code max_memory}, and what it costs to find out. */
class ResidentsTest {
  private static final Path MODEL = Path.of("src/test/resources/fixtures/pixart_sigma_tiny");
  private static final InputConfig FOX =
      InputConfig.builder("a fox")
          .size(64, 64)
          .useResolutionBinning(false)
          .numInferenceSteps(1)
          .build();

  private static EngineConfig within(long bytes) {
    return EngineConfig.builder(MODEL)
        .runtime(r -> r.offload(Offload.LAYERWISE).maxMemory(String.valueOf(bytes)))
        .build();
  }

  /** Blocks of each choice of LoRAs stay, so fewer of each do. */
  @Test
  void blocksOfAllChoicesThatAreKeptCount() {
    try (DiffusionPipeline pipeline =
        DiffusionPipeline.fromPretrained(ModelConfig.builder(MODEL).build())) {
      long bytes = 512L << 20;
      while (staying(pipeline, bytes, 1) < 1) {
        bytes += 100_000;
      }
      double two = staying(pipeline, bytes, 2);
      assertThat(two).isStrictlyBetween(0.0, 1.0);
      assertThat(staying(pipeline, bytes, 3)).isStrictlyBetween(0.0, two);
    }
  }

  private static double staying(DiffusionPipeline pipeline, long bytes, int choices) {
    RequestPlan plan =
        RequestPlan.of(within(bytes), pipeline.spec(), pipeline.model().resolve(FOX));
    Residents.Sizes<?> sizes = Residents.Sizes.of(pipeline.model(), choices);
    return Residents.chosen(plan, sizes, List.of(0)).residentRatio();
  }

  private record Counting<C>(PipelineModel<C> model, AtomicInteger opened)
      implements PipelineModel.Forwarding<C> {
    @Override
    public TransformerSpec<C> transformer(Placement placement) {
      return model.transformer(placement);
    }

    @Override
    public TextEncoder textEncoder(Placement placement, Share share) {
      opened.incrementAndGet();
      return model.textEncoder(placement, share);
    }

    static <C> Counting<C> of(PipelineModel<C> model) {
      return new Counting<>(model, new AtomicInteger());
    }
  }

  @Test
  void textEncodersAreOpenedOnceForTheChecksOfAllRequests() {
    EngineConfig engine = within(8_000_000_000L);
    Counting<?> counting = Counting.of(DiffusionPipeline.fromPretrained(engine).model());
    try (DiffusionPipeline pipeline = DiffusionPipeline.of(counting, ElementType.FLOAT32);
        XDiTParallel ranks = XDiTParallel.inProcess(pipeline, engine)) {
      for (int i = 0; i < 3; i++) {
        ranks.check(FOX);
      }
      assertThat(counting.opened()).hasValue(1);
    }
  }
}
