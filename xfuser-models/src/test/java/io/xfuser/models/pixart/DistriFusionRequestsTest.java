package io.xfuser.models.pixart;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.config.OutputType;
import io.xfuser.config.ParallelConfig;
import io.xfuser.failure.CancelledException;
import io.xfuser.parallel.TestRanks;
import io.xfuser.pipeline.DiffusionPipeline;
import io.xfuser.pipeline.Generation;
import io.xfuser.pipeline.XDiTParallel;
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
      InputConfig.of("a red fox")
          .withSize(96, 96)
          .withSteps(3)
          .withResolutionBinning(false)
          .withOutputType(OutputType.PT);
  private static final List<InputConfig> SEVERAL =
      List.of(
          SMALL,
          InputConfig.of("two boats", "a lighthouse")
              .withSize(112, 144)
              .withSteps(4)
              .withResolutionBinning(false)
              .withOutputType(OutputType.PT),
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
    try (XDiTParallel ranks = XDiTParallel.inProcess(pipeline, engine.withParallel(degrees))) {
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
    List<float[]> expected = drawn(ParallelConfig.serial().withDistrifusionPatches(5));
    List<float[]> found = drawn(ParallelConfig.serial().withDistrifusion(5));
    for (int i = 0; i < SEVERAL.size(); i++) {
      assertThat(found.get(i)).containsExactly(expected.get(i), within(1e-5f));
    }
    assertThat(found.get(2)).isEqualTo(found.get(0));
  }

  @Test
  void aRequestCancelledWhileKeysAreOnTheirWayLeavesNothingForTheNext() throws Exception {
    EngineConfig two = engine.withParallel(ParallelConfig.serial().withDistrifusion(2));
    List<float[]> found =
        TestRanks.SOCKET.run(
            2,
            world -> {
              try (XDiTParallel ranks = new XDiTParallel(pipeline, two, world)) {
                float[] before = latents(ranks, world.rank());
                assertThatThrownBy(() -> ranks.generate(SMALL, (step, steps) -> step < 2))
                    .isInstanceOf(CancelledException.class);
                assertThat(latents(ranks, world.rank())).isEqualTo(before);
                return before;
              }
            });
    assertThat(found.get(0)).isNotEmpty();
  }

  /** Of rank 0, which decodes. */
  private static float[] latents(XDiTParallel ranks, int rank) {
    try (Generation generation = ranks.generate(SMALL.withOutputType(OutputType.LATENT))) {
      return rank == 0 ? Pixels.floats(generation.tensor()) : new float[0];
    }
  }
}
