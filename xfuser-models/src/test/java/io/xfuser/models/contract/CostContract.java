package io.xfuser.models.contract;

import static org.assertj.core.api.Assertions.assertThat;

import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.config.OutputType;
import io.xfuser.config.ParallelConfig;
import io.xfuser.parallel.DeviceMesh;
import io.xfuser.parallel.MeshAxis;
import io.xfuser.pipeline.DiffusionPipeline;
import io.xfuser.pipeline.Generation;
import io.xfuser.pipeline.GenerationRequest;
import io.xfuser.pipeline.LatentShape;
import io.xfuser.pipeline.RankReport;
import io.xfuser.pipeline.RunReport;
import io.xfuser.pipeline.XDiTParallel;
import io.xfuser.transformer.Block;
import io.xfuser.transformer.TransformerSpec;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Law 4: bytes sent, keys and values kept, and weights held are counted and equal the formulas of
 * {@code docs/methods}. The model has no joint text; its tokens and heads divide evenly here.
 */
public abstract class CostContract {
  private static final int FLOAT = 4;
  private static final int STEPS = 3;

  /** The pipeline's directory. */
  protected abstract Path directory();

  /** Two pictures with guidance, of 48 tokens each. */
  protected abstract InputConfig input();

  /** C, the hidden size. */
  protected abstract int width();

  static Stream<ParallelConfig> degrees() {
    ParallelConfig serial = ParallelConfig.serial();
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
        serial.withPipefusion(2).withAttnLayerNumForPp(List.of(2, 7)),
        serial.withPipefusion(2).withUlysses(2).withCfg(2),
        serial.withPipefusion(2).withRing(2).withData(2).withPatches(3));
  }

  @ParameterizedTest
  @MethodSource("degrees")
  void countsEqualTheFormulas(ParallelConfig degrees) {
    for (int warmup : new int[] {0, 1, STEPS}) {
      try (DiffusionPipeline pipeline = open()) {
        RunReport report = run(pipeline, degrees, warmup);
        Expected expected = Expected.of(this, pipeline, degrees, warmup);
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

  private InputConfig request() {
    return input().withSteps(STEPS).withOutputType(OutputType.LATENT);
  }

  /**
   * The formulas.
   *
   * @param tokens p
   * @param images pictures of one data-parallel group
   * @param latentWidth c, values of a token
   */
  private record Expected(
      CostContract model,
      DiffusionPipeline pipeline,
      ParallelConfig degrees,
      DeviceMesh mesh,
      boolean stale,
      long tokens,
      long images,
      long latentWidth) {

    static Expected of(
        CostContract model, DiffusionPipeline pipeline, ParallelConfig degrees, int warmup) {
      GenerationRequest request = pipeline.model().resolve(model.request());
      LatentShape latents = request.latents();
      return new Expected(
          model,
          pipeline,
          degrees,
          new DeviceMesh(
              Map.of(
                  MeshAxis.ULYSSES, degrees.ulyssesDegree(),
                  MeshAxis.RING, degrees.ringDegree(),
                  MeshAxis.PIPELINE, degrees.pipefusionDegree(),
                  MeshAxis.CFG, degrees.cfgDegree(),
                  MeshAxis.DATA, degrees.dataDegree())),
          degrees.patches() > 1 && warmup < STEPS,
          latents.grid().tokens(),
          request.images() / degrees.dataDegree(),
          (long) latents.channels() * latents.patchSize() * latents.patchSize());
    }

    void check(RankReport rank) {
      int stage = mesh.coordinate(rank.rank(), MeshAxis.PIPELINE);
      int stages = degrees.pipefusionDegree();
      long u = degrees.ulyssesDegree();
      long r = degrees.ringDegree();
      long batch = images * (degrees.cfgDegree() == 1 ? 2 : 1); // guidance on one rank doubles it
      long blocks = blocks(stage);
      long hidden = batch * tokens / (u * r) * model.width(); // p·hs/(U·R), with the batch
      long latents = images * tokens / (u * r) * latentWidth;
      assertThat(sent(rank, "ulysses"))
          .isEqualTo(FLOAT * STEPS * blocks * 4 * (u - 1) * hidden / u);
      assertThat(sent(rank, "ring")).isEqualTo(FLOAT * STEPS * blocks * 2 * (r - 1) * hidden);
      boolean last = stage == stages - 1;
      long forward = last ? 0 : FLOAT * STEPS * hidden;
      long back = last && stages > 1 ? FLOAT * (STEPS - 1) * latents : 0;
      assertThat(sent(rank, "pipefusion")).isEqualTo(forward + back);
      assertThat(sent(rank, "cfg"))
          .isEqualTo(last && degrees.cfgDegree() == 2 ? FLOAT * STEPS * latents : 0);
      assertThat(sent(rank, "tensor")).isZero();
      assertThat(rank.kvBufferBytes())
          .isEqualTo(stale ? FLOAT * 2 * blocks * batch * tokens * model.width() / u : 0);
      checkParameters(rank, stage, blocks);
    }

    private void checkParameters(RankReport rank, int stage, long blocks) {
      TransformerSpec<?> spec = pipeline.model().transformer();
      long expected = spec.conditioner().parameterBytes() + blocks * blockBytes(spec);
      expected += stage == 0 ? spec.embedding().parameterBytes() : 0;
      expected += stage == degrees.pipefusionDegree() - 1 ? spec.head().parameterBytes() : 0;
      assertThat(rank.parameterBytes()).isEqualTo(expected);
      if (degrees.attnLayerNumForPp().isEmpty()) {
        assertThat(blocks).isLessThanOrEqualTo((spec.depth() - 1) / degrees.pipefusionDegree() + 1);
      }
    }

    private static long blockBytes(TransformerSpec<?> spec) {
      try (Block<?> block = spec.block(0)) {
        return block.parameterBytes();
      }
    }

    private long blocks(int stage) {
      if (!degrees.attnLayerNumForPp().isEmpty()) {
        return degrees.attnLayerNumForPp().get(stage);
      }
      long depth = pipeline.model().transformer().depth();
      long stages = degrees.pipefusionDegree();
      return depth * (stage + 1) / stages - depth * stage / stages;
    }

    private static long sent(RankReport rank, String channel) {
      return Objects.requireNonNull(rank.sentBytes().get(channel));
    }
  }
}
