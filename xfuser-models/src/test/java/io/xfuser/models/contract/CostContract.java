package io.xfuser.models.contract;

import static org.assertj.core.api.Assertions.assertThat;

import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.config.OutputType;
import io.xfuser.config.ParallelConfig;
import io.xfuser.pipeline.DiffusionPipeline;
import io.xfuser.pipeline.Generation;
import io.xfuser.pipeline.RankReport;
import io.xfuser.pipeline.RunReport;
import io.xfuser.pipeline.XDiTParallel;
import io.xfuser.transformer.TransformerSpec;
import io.xfuser.weights.Placement;
import io.xfuser.weights.Share;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.assertj.core.data.Percentage;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Law 4: bytes sent, keys and values kept, and weights held are counted and equal the formulas of
 * {@code docs/methods}.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
public abstract class CostContract {
  /** Steps of every generation here. */
  static final int STEPS = 3;

  /** The pipeline's directory. */
  protected abstract Path directory();

  /** Two pictures or videos with guidance, of at least 24 tokens each. */
  protected abstract InputConfig input();

  /** C, the hidden size. */
  protected abstract int width();

  /** T, the tokens of joint text; 0 where the model has none. */
  protected int textTokens() {
    return 0;
  }

  /** The self-attentions of block {@code index} in which text takes part. */
  protected int jointAttentions(int index) {
    return textTokens() == 0 ? 0 : 1;
  }

  /** The terms that block {@code index} adds to the image's tokens: of attentions and MLP. */
  protected int terms(int index) {
    return 3;
  }

  /** The terms that it adds to the text's tokens. */
  protected int textTerms(int index) {
    return 0;
  }

  Stream<ParallelConfig> degrees() {
    ParallelConfig serial = ParallelConfig.serial();
    int depth;
    try (DiffusionPipeline pipeline = open()) {
      depth = pipeline.model().transformer(Placement.CPU).depth();
    }
    return Stream.of(
        serial,
        serial.withUlysses(2),
        serial.withUlysses(3),
        serial.withRing(2),
        serial.withRing(4),
        serial.withUlysses(2).withRing(2),
        serial.withUlysses(3).withRing(2).withPatches(4),
        serial.withCfg(2),
        serial.withData(2),
        serial.withPipefusion(2).withPatches(4),
        serial.withPipefusion(3).withPatches(2),
        serial.withPipefusion(4),
        serial.withPipefusion(2).withPatches(1),
        serial.withPipefusion(2).withAttnLayerNumForPp(List.of(2, depth - 2)),
        serial.withPipefusion(2).withUlysses(2).withCfg(2),
        serial.withPipefusion(2).withRing(2).withData(2).withPatches(3),
        serial.withTensor(2),
        serial.withTensor(3).withData(2),
        serial.withTensor(4).withCfg(2),
        serial.withTensor(2).withUlysses(3),
        serial.withTensor(2).withUlysses(2).withPipefusion(2).withPatches(3),
        serial.withTensor(3).withRing(2).withPatches(2),
        serial.withDistrifusion(2),
        serial.withDistrifusion(5),
        serial.withDistrifusionPatches(3),
        serial.withDistrifusion(3).withUlysses(2),
        serial.withDistrifusion(2).withRing(2).withData(2),
        serial.withDistrifusion(2).withTensor(2).withCfg(2),
        serial.withDistrifusion(2).withUlysses(2).withRing(2));
  }

  @ParameterizedTest
  @MethodSource("degrees")
  void countsEqualTheFormulas(ParallelConfig degrees) {
    for (int warmup : new int[] {0, 1, STEPS}) {
      try (DiffusionPipeline pipeline = open()) {
        RunReport report = run(pipeline, degrees, warmup);
        ExpectedCosts expected = new ExpectedCosts(this, pipeline, degrees, warmup);
        for (RankReport rank : report.ranks()) {
          expected.check(rank);
        }
      }
    }
  }

  @Test
  void ranksOfOneProcessHoldEqualWeightsOnce() {
    try (DiffusionPipeline serial = open();
        DiffusionPipeline parallel = open()) {
      run(serial, ParallelConfig.serial(), 1);
      run(parallel, ParallelConfig.serial().withUlysses(2).withPipefusion(2).withCfg(2), 1);
      assertThat(parallel.transformerBytes()).isEqualTo(serial.transformerBytes());
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 3, 6})
  void sharesOfABlockAreEqualPartsOfItsHeadsAndNeurons(int parts) {
    try (DiffusionPipeline pipeline = open()) {
      TransformerSpec<?> spec = pipeline.model().transformer(Placement.CPU);
      for (int index = 0; index < spec.depth(); index++) {
        long whole = ExpectedCosts.bytes(spec, index, Share.WHOLE);
        long halves = bytes(spec, index, 2);
        long replicated = halves - whole; // what both halves have
        assertThat(bytes(spec, index, parts)).isEqualTo(whole + (parts - 1) * replicated);
        for (int part = 0; part < parts; part++) {
          double own = ExpectedCosts.bytes(spec, index, new Share(part, parts)) - replicated;
          double even = (double) (whole - replicated) / parts;
          assertThat(own).isCloseTo(even, Percentage.withPercentage(5));
        }
      }
    }
  }

  private static long bytes(TransformerSpec<?> spec, int index, int parts) {
    return IntStream.range(0, parts)
        .mapToLong(part -> ExpectedCosts.bytes(spec, index, new Share(part, parts)))
        .sum();
  }

  private DiffusionPipeline open() {
    return DiffusionPipeline.fromPretrained(EngineConfig.of(directory()).model());
  }

  private RunReport run(DiffusionPipeline pipeline, ParallelConfig degrees, int warmup) {
    EngineConfig engine =
        EngineConfig.of(directory()).withParallel(degrees).withWarmupSteps(warmup);
    try (XDiTParallel ranks = XDiTParallel.inProcess(pipeline, engine);
        Generation generation = ranks.generate(request())) {
      return generation.report();
    }
  }

  InputConfig request() {
    return input().withSteps(STEPS).withOutputType(OutputType.LATENT);
  }
}
