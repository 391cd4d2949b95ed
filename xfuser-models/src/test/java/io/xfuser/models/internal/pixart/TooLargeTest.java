package io.xfuser.models.internal.pixart;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.config.ModelConfig;
import io.xfuser.config.OutputType;
import io.xfuser.config.ParallelConfig;
import io.xfuser.failure.MemoryException;
import io.xfuser.model.PipelineModel;
import io.xfuser.model.VaeDecoder;
import io.xfuser.nn.Strip;
import io.xfuser.pipeline.DiffusionPipeline;
import io.xfuser.pipeline.Generation;
import io.xfuser.pipeline.XDiTParallel;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Torch;
import io.xfuser.transformer.TransformerSpec;
import io.xfuser.weights.Placement;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Requests for which there is no memory. */
@Timeout(300)
class TooLargeTest {
  private static final Path MODEL = Path.of("src/test/resources/fixtures/pixart_sigma_tiny");

  private static final InputConfig FOX =
      InputConfig.builder("a red fox")
          .size(64, 64)
          .useResolutionBinning(false)
          .numInferenceSteps(2)
          .build();

  private static DiffusionPipeline pipeline;

  @BeforeAll
  static void open() {
    pipeline = DiffusionPipeline.fromPretrained(ModelConfig.builder(MODEL).build());
  }

  @AfterAll
  static void close() {
    pipeline.close();
  }

  @ParameterizedTest
  @CsvSource({
    "720000, 720000, PT, 720000 × 720000 pixels (height × width) need at least",
    "720000, 720000, PIL, 720000 × 720000 pixels (height × width) need at least",
    "2147483632, 2147483632, PT, a picture (height × width) of 134217727 × 134217727 tokens is too"
        + " large",
    "2147483632, 2147483632, LATENT, a picture (height × width) of 134217727 × 134217727 tokens is"
        + " too large",
    "720000, 720000, LATENT, need at least",
    "2147483632, 16, PT, need at least"
  })
  void aSizeThatCannotFitIsRefusedWithTheNumbers(
      int height, int width, OutputType type, String sentence) {
    for (int ulysses : new int[] {1, 2}) {
      ParallelConfig degrees = ParallelConfig.builder().ulyssesDegree(ulysses).build();
      EngineConfig engine = EngineConfig.builder(MODEL).parallel(degrees).build();
      try (XDiTParallel ranks = XDiTParallel.inProcess(pipeline, engine)) {
        InputConfig large = FOX.toBuilder().size(height, width).outputType(type).build();
        assertThatThrownBy(() -> ranks.generate(large))
            .isInstanceOf(IllegalArgumentException.class)
            .message()
            .satisfies(message -> assertThat(message).contains(sentence).doesNotContain("\n"));
        try (Generation next = ranks.generate(FOX)) {
          assertThat(next.images()).hasSize(1);
        }
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2})
  void memoryThatRunsOutWhileDecodingIsOneSentenceAndTheNextRequestWorks(int ranks) {
    AtomicBoolean java = new AtomicBoolean();
    AtomicBoolean hungry = new AtomicBoolean(true);
    DiffusionPipeline greedy =
        DiffusionPipeline.of(new Greedy<>(pipeline.model(), hungry, java), ElementType.FLOAT32);
    EngineConfig engine =
        EngineConfig.builder(MODEL).parallel(p -> p.pipefusionDegree(ranks)).build();
    try (XDiTParallel parallel = XDiTParallel.inProcess(greedy, engine)) {
      assertThatThrownBy(() -> parallel.generate(FOX))
          .isInstanceOf(MemoryException.class)
          .hasMessageStartingWith(
              "out of memory while decoding, 1125899906842624 bytes more were needed (1.1 PB);"
                  + " less is needed by a smaller picture, fewer pictures at a time, more");
      java.set(true);
      assertThatThrownBy(() -> parallel.generate(FOX))
          .isInstanceOf(MemoryException.class)
          .hasMessageStartingWith("out of memory while decoding: Java's own memory, ");
      hungry.set(false);
      try (Generation next = parallel.generate(FOX)) {
        assertThat(next.images()).hasSize(1);
      }
    }
  }

  /** A model whose decoder asks for more memory than there is, of libtorch's or of Java's. */
  private record Greedy<C>(PipelineModel<C> whole, AtomicBoolean hungry, AtomicBoolean java)
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
    public VaeDecoder vaeDecoder(Placement placement) {
      return new GreedyDecoder(whole.vaeDecoder(placement), hungry, java);
    }

    @Override
    public void close() {}
  }

  private record GreedyDecoder(VaeDecoder inner, AtomicBoolean hungry, AtomicBoolean java)
      implements VaeDecoder {
    @Override
    public Optional<NDArray> decode(
        NDManager owner, NDArray latents, DecodeOptions options, Strip strip) {
      if (hungry.get() && java.get()) {
        throw new OutOfMemoryError("Java heap space");
      } else if (hungry.get()) {
        Torch.empty(owner, ElementType.UINT8, 1L << 50);
      }
      return inner.decode(owner, latents, options, strip);
    }

    @Override
    public long parameterBytes() {
      return inner.parameterBytes();
    }

    @Override
    public void close() {
      inner.close();
    }
  }

  @Test
  void whatFitsIsNotRefused() {
    EngineConfig engine = EngineConfig.of(MODEL);
    try (XDiTParallel ranks = XDiTParallel.inProcess(pipeline, engine);
        Generation large =
            ranks.generate(FOX.toBuilder().size(256, 512).numInferenceSteps(1).build())) {
      assertThat(large.images()).hasSize(1);
    }
  }
}
