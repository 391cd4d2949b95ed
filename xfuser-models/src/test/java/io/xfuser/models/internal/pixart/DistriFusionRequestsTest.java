package io.xfuser.models.internal.pixart;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.config.OutputType;
import io.xfuser.config.ParallelConfig;
import io.xfuser.failure.CancelledException;
import io.xfuser.internal.parallel.TestRanks;
import io.xfuser.pipeline.DiffusionPipeline;
import io.xfuser.pipeline.Generation;
import io.xfuser.pipeline.XDiTParallel;
import io.xfuser.progress.Progress;
import io.xfuser.testing.Pixels;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Requests one after the other, whose keys and values outlive a step but not a request. */
class DistriFusionRequestsTest {
  private static final Path MODEL = Path.of("src/test/resources/fixtures/pixart_sigma_tiny");
  private static final InputConfig SMALL =
      InputConfig.builder("a red fox")
          .size(96, 96)
          .numInferenceSteps(3)
          .useResolutionBinning(false)
          .outputType(OutputType.PT)
          .build();

  private static final InputConfig LONG = SMALL.toBuilder().numInferenceSteps(400).build();
  private static final List<InputConfig> SEVERAL =
      List.of(
          SMALL,
          InputConfig.builder("two boats", "a lighthouse")
              .size(112, 144)
              .numInferenceSteps(4)
              .useResolutionBinning(false)
              .outputType(OutputType.PT)
              .build(),
          SMALL);

  private final EngineConfig engine = EngineConfig.of(MODEL);
  private DiffusionPipeline pipeline;

  @BeforeEach
  void open() {
    pipeline = DiffusionPipeline.fromPretrained(engine.model());
  }

  @AfterEach
  void close() {
    pipeline.close();
  }

  private List<float[]> drawn(ParallelConfig degrees) {
    List<float[]> pictures = new ArrayList<>();
    try (XDiTParallel ranks =
        XDiTParallel.inProcess(pipeline, engine.toBuilder().parallel(degrees).build())) {
      for (InputConfig input : SEVERAL) {
        try (Generation generation = ranks.generate(input)) {
          pictures.add(Pixels.floats(generation.tensor()));
        }
      }
    }
    return pictures;
  }

  @Test
  void otherSizesAndPromptsMayFollow() {
    List<float[]> expected = drawn(ParallelConfig.builder().numDistrifusionPatch(5).build());
    List<float[]> found = drawn(ParallelConfig.builder().distrifusionDegree(5).build());
    for (int i = 0; i < SEVERAL.size(); i++) {
      assertThat(found.get(i)).containsExactly(expected.get(i), within(1e-5f));
    }
    assertThat(found.get(2)).isEqualTo(found.get(0));
  }

  @Test
  void aRequestCancelledWhileKeysAreOnTheirWayLeavesNothingForTheNext() throws Exception {
    EngineConfig two =
        engine.toBuilder().parallel(ParallelConfig.builder().distrifusionDegree(2).build()).build();
    List<float[]> found =
        TestRanks.SOCKET.run(
            2,
            world -> {
              try (XDiTParallel ranks = new XDiTParallel(pipeline, two, world)) {
                float[] before = latents(ranks, world.rank());
                assertThatThrownBy(() -> ranks.generate(LONG, progress -> isBeforeStep2(progress)))
                    .isInstanceOf(CancelledException.class);
                assertThat(latents(ranks, world.rank())).isEqualTo(before);
                return before;
              }
            });
    assertThat(found.get(0)).isNotEmpty();
  }

  private static boolean isBeforeStep2(Progress progress) {
    return !(progress instanceof Progress.Denoising) || progress.done() < 2;
  }

  /** Of rank 0, which decodes. */
  private static float[] latents(XDiTParallel ranks, int rank) {
    try (Generation generation =
        ranks.generate(SMALL.toBuilder().outputType(OutputType.LATENT).build())) {
      return rank == 0 ? Pixels.floats(generation.tensor()) : new float[0];
    }
  }
}
