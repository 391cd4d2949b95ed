package io.xfuser.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.xfuser.config.EngineConfig;
import io.xfuser.config.RuntimeConfig;
import io.xfuser.failure.ArgumentException;
import io.xfuser.model.PipelineModel;
import io.xfuser.torchscript.ElementType;
import io.xfuser.transformer.TransformerSpec;
import io.xfuser.weights.Placement;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** What was opened is closed if what is made of it cannot be. */
class ClosingTest {
  private static final Path FIXTURES = Path.of("src/test/resources/fixtures");

  /** Counts how often it is closed. */
  private record Counted<C>(PipelineModel<C> whole, AtomicInteger closed)
      implements PipelineModel.Forwarding<C> {
    @Override
    public PipelineModel<?> model() {
      return whole;
    }

    @Override
    public TransformerSpec<C> transformer(Placement placement) {
      return whole.transformer(placement);
    }

    @Override
    public void close() {
      closed.incrementAndGet();
      whole.close();
    }
  }

  private static EngineConfig engine(String model) {
    return EngineConfig.of(FIXTURES.resolve(model));
  }

  private static DiffusionPipeline counted(String model, AtomicInteger closed) {
    DiffusionPipeline whole = DiffusionPipeline.fromPretrained(engine(model).model());
    return DiffusionPipeline.of(new Counted<>(whole.model(), closed), ElementType.FLOAT32);
  }

  @Test
  void aPipelineThatNobodyElseHasIsClosedIfItsRanksCannotBeMade() {
    AtomicInteger closed = new AtomicInteger();
    DiffusionPipeline pipeline = counted("dit_tiny", closed);
    EngineConfig half =
        engine("dit_tiny").toBuilder().runtime(r -> r.dtype(ElementType.BFLOAT16)).build();
    assertThatThrownBy(() -> XDiTParallel.inProcess(pipeline, half))
        .isInstanceOf(IllegalArgumentException.class);
    assertThat(closed).hasValue(0);
    assertThatThrownBy(() -> XDiTParallel.inProcess(pipeline, true, half))
        .isInstanceOf(IllegalArgumentException.class);
    assertThat(closed).hasValue(1);
  }

  @Test
  void aPipelineIsClosedOnceWithTheRanksThatOwnIt() {
    AtomicInteger closed = new AtomicInteger();
    XDiTParallel ranks =
        XDiTParallel.inProcess(counted("dit_tiny", closed), true, engine("dit_tiny"));
    ranks.close();
    ranks.close();
    assertThat(closed).hasValue(1);
  }

  @Test
  void tilesOfADecoderThatHasNoneAreRefusedBeforeAnythingIsAskedFor() {
    RuntimeConfig tiling = RuntimeConfig.builder().enableTiling(true).build();
    EngineConfig engine = engine("latte_tiny").toBuilder().runtime(tiling).build();
    assertThatThrownBy(() -> XDiTParallel.inProcess(engine))
        .isInstanceOf(ArgumentException.class)
        .hasMessageContaining("AutoencoderKLTemporalDecoder has neither slicing nor tiling");
  }
}
