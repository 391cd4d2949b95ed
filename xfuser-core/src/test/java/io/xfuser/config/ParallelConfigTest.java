package io.xfuser.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.xfuser.failure.ArgumentException;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class ParallelConfigTest {
  private static final ParallelConfig ALL =
      new ParallelConfig(2, 3, 5, 1, 7, 2, 11, 13, 0, List.of(), "row", 0);

  @Test
  void worldSizeIsTheProductOfAllDegrees() {
    assertThat(ALL.worldSize()).isEqualTo(2 * 3 * 5 * 7 * 2 * 11);
    assertThat(ALL.sequenceDegree()).isEqualTo(15);
    assertThat(ParallelConfig.serial().worldSize()).isEqualTo(1);
    ParallelConfig apart = ALL.withVaeParallelSize(3);
    assertThat(apart.ditParallelSize()).isEqualTo(ALL.worldSize());
    assertThat(apart.worldSize()).isEqualTo(ALL.worldSize() + 3);
    ParallelConfig displaced = ALL.withPipefusion(1).withPatches(0).withDistrifusion(7);
    assertThat(displaced.worldSize()).isEqualTo(ALL.worldSize());
    assertThat(displaced.sequenceDegree()).isEqualTo(15 * 7);
  }

  @Test
  void eachWitherChangesItsOwnNumberAlone() {
    ParallelConfig serial = ParallelConfig.serial();
    assertThat(serial.withTensor(2)).isEqualTo(of(2, 1, 1, 1, 1, 1, 0));
    assertThat(serial.withUlysses(2)).isEqualTo(of(1, 2, 1, 1, 1, 1, 0));
    assertThat(serial.withRing(2)).isEqualTo(of(1, 1, 2, 1, 1, 1, 0));
    assertThat(serial.withPipefusion(2)).isEqualTo(of(1, 1, 1, 2, 1, 1, 0));
    assertThat(serial.withCfg(2)).isEqualTo(of(1, 1, 1, 1, 2, 1, 0));
    assertThat(serial.withData(2)).isEqualTo(of(1, 1, 1, 1, 1, 2, 0));
    assertThat(serial.withPatches(2)).isEqualTo(of(1, 1, 1, 1, 1, 1, 2));
    assertThat(serial.withDistrifusion(2))
        .isEqualTo(new ParallelConfig(1, 1, 1, 2, 1, 1, 1, 0, 0, List.of(), "row", 0));
    assertThat(serial.withDistrifusionPatches(2))
        .isEqualTo(new ParallelConfig(1, 1, 1, 1, 1, 1, 1, 0, 2, List.of(), "row", 0));
    assertThat(serial.withDistrifusionPatches(2).withDistrifusion(3))
        .isEqualTo(serial.withDistrifusion(3));
    assertThat(ALL.withRing(1).withRing(5)).isEqualTo(ALL);
  }

  private static ParallelConfig of(int tp, int u, int r, int pp, int cfg, int dp, int patches) {
    return new ParallelConfig(tp, u, r, 1, pp, cfg, dp, patches, 0, List.of(), "row", 0);
  }

  @ParameterizedTest
  @CsvSource({"1, 0, 1", "4, 0, 4", "4, 6, 6", "1, 3, 3"})
  void patchesAreAsManyAsStagesUnlessGiven(int stages, int given, int patches) {
    ParallelConfig config = ParallelConfig.serial().withPipefusion(stages).withPatches(given);
    assertThat(config.patches()).isEqualTo(patches);
  }

  @ParameterizedTest
  @CsvSource({"1, 0, 1, 1", "4, 0, 4, 1", "4, 4, 4, 1", "1, 3, 3, 3"})
  void aDistriFusionRankHasOnePatchAndASingleRankAll(int ranks, int given, int patches, int each) {
    ParallelConfig config =
        ParallelConfig.serial().withDistrifusion(ranks).withDistrifusionPatches(given);
    assertThat(config.distrifusionPatches()).isEqualTo(patches);
    assertThat(config.patchesOfARank()).isEqualTo(each);
    assertThat(config.worldSize()).isEqualTo(ranks);
  }

  static Stream<Arguments> twoKindsOfPatches() {
    ParallelConfig two = ParallelConfig.serial().withDistrifusion(2);
    return Stream.of(
        Arguments.of(
            two, 2, 0, "DistriFusion (patches: 2) excludes PipeFusion (stages: 2, patches: 2)"),
        Arguments.of(
            two, 2, 1, "DistriFusion (patches: 2) excludes PipeFusion (stages: 2, patches: 1)"),
        Arguments.of(
            two, 1, 4, "DistriFusion (patches: 2) excludes PipeFusion (stages: 1, patches: 4)"),
        Arguments.of(
            ParallelConfig.serial().withDistrifusionPatches(3),
            1,
            2,
            "DistriFusion (patches: 3) excludes PipeFusion (stages: 1, patches: 2)"));
  }

  @ParameterizedTest
  @MethodSource("twoKindsOfPatches")
  void distriFusionAndPipeFusionAreRefusedTogether(
      ParallelConfig displaced, int stages, int patches, String message) {
    ParallelConfig pipelined = ParallelConfig.serial().withPipefusion(stages).withPatches(patches);
    assertThatThrownBy(
            () ->
                pipelined
                    .withDistrifusion(displaced.distrifusionDegree())
                    .withDistrifusionPatches(displaced.numDistrifusionPatch()))
        .isInstanceOf(ArgumentException.class)
        .hasMessage(message);
  }

  @Test
  void labelIsTheParallelInfoOfXDit() {
    ParallelConfig config = ParallelConfig.serial().withUlysses(2).withPipefusion(2).withPatches(4);
    assertThat(config.label()).isEqualTo("dp1_cfg1_ulysses2_ring1_pp2_patch4");
    assertThat(ALL.label()).isEqualTo("dp11_cfg2_ulysses3_ring5_tp2_pp7_patch13");
    ParallelConfig four = ParallelConfig.serial().withDistrifusion(4);
    assertThat(four.label()).isEqualTo("dp1_cfg1_ulysses1_ring1_df4_pp1_patch1");
    assertThat(four.withTensor(2).label()).isEqualTo("dp1_cfg1_ulysses1_ring1_df4_tp2_pp1_patch1");
    assertThat(ParallelConfig.serial().withDistrifusionPatches(4).label())
        .isEqualTo("dp1_cfg1_ulysses1_ring1_df1x4_pp1_patch1");
  }

  @Test
  void blocksOfStagesMustMatchTheStages() {
    ParallelConfig two = ParallelConfig.serial().withPipefusion(2);
    assertThat(two.withAttnLayerNumForPp(List.of(10, 18)).attnLayerNumForPp())
        .containsExactly(10, 18);
    assertThatThrownBy(() -> two.withAttnLayerNumForPp(List.of(10, 9, 9)))
        .isInstanceOf(ArgumentException.class)
        .hasMessage(
            "the blocks are given for 3 pipeline stages [10, 9, 9], but the PipeFusion degree is"
                + " 2");
    assertThatThrownBy(() -> two.withAttnLayerNumForPp(List.of(28, 0)))
        .hasMessage("the number of blocks of a pipeline stage must be at least 1, but is 0");
    assertThat(two.withAttnLayerNumForPp(List.of(10, 18)).withPipefusion(3).attnLayerNumForPp())
        .isEmpty();
  }

  static Stream<Arguments> impossible() {
    return Stream.of(
        bad(c -> c.withTensor(0), "the tensor parallel degree must be at least 1, but is 0"),
        bad(c -> c.withUlysses(0), "the Ulysses degree must be at least 1, but is 0"),
        bad(c -> c.withRing(-1), "the ring degree must be at least 1, but is -1"),
        bad(c -> c.withPipefusion(0), "the PipeFusion degree must be at least 1, but is 0"),
        bad(c -> c.withDistrifusion(0), "the DistriFusion degree must be at least 1, but is 0"),
        bad(
            c -> c.withDistrifusionPatches(-1),
            "the number of DistriFusion patches must be at least 0, but is -1"),
        bad(
            c -> c.withDistrifusion(4).withDistrifusionPatches(3),
            "DistriFusion on 4 ranks has 4 patches, not 3"),
        bad(c -> c.withCfg(0), "the CFG degree must be at least 1, but is 0"),
        bad(c -> c.withCfg(3), "the CFG degree must be 1 or 2, but is 3"),
        bad(c -> c.withData(0), "the data parallel degree must be at least 1, but is 0"),
        bad(c -> c.withPatches(-1), "the number of pipeline patches must be at least 0, but is -1"),
        bad(c -> c.withUlysses(65536).withRing(65536), "there are more ranks than 2147483647"),
        bad(
            c -> c.withUlysses(65536).withRing(32767).withVaeParallelSize(65536),
            "there are more ranks than 2147483647"),
        bad(
            c -> c.withVaeParallelSize(-1),
            "the number of ranks of the VAE alone must be at least 0, but is -1"));
  }

  private static Arguments bad(UnaryOperator<ParallelConfig> change, String message) {
    return Arguments.of(change, message);
  }

  @ParameterizedTest
  @MethodSource("impossible")
  void impossibleNumbersAreRejected(UnaryOperator<ParallelConfig> change, String message) {
    assertThatThrownBy(() -> change.apply(ParallelConfig.serial()))
        .isInstanceOf(ArgumentException.class)
        .hasMessage(message);
  }

  @Test
  void otherSplitSchemesAreRejected() {
    assertThatThrownBy(() -> new ParallelConfig(1, 1, 1, 1, 1, 1, 1, 0, 0, List.of(), "column", 0))
        .hasMessage("the split scheme must be row, but is column");
  }

  @Test
  void anotherWorldSizeIsRejectedWithTheFactors() {
    ParallelConfig four = ParallelConfig.serial().withUlysses(2).withPipefusion(2);
    assertThatCode(() -> four.requireWorldSize(4)).doesNotThrowAnyException();
    assertThatThrownBy(() -> four.requireWorldSize(3))
        .isInstanceOf(ArgumentException.class)
        .hasMessage("the degrees multiply to 4 (ulysses 2 x pipefusion 2), but there are 3 ranks");
    assertThatThrownBy(() -> four.requireWorldSize(1)).hasMessageEndingWith("but there is 1 rank");
    assertThatThrownBy(() -> ParallelConfig.serial().withDistrifusion(3).requireWorldSize(2))
        .hasMessage("the degrees multiply to 3 (distrifusion 3), but there are 2 ranks");
    assertThatThrownBy(() -> ParallelConfig.serial().requireWorldSize(2))
        .hasMessage("the degrees multiply to 1, but there are 2 ranks");
    assertThatThrownBy(() -> four.withVaeParallelSize(2).requireWorldSize(4))
        .hasMessage(
            "the degrees multiply to 4 (ulysses 2 x pipefusion 2), and 2 of the VAE alone, but"
                + " there are 4 ranks");
    assertThatCode(() -> four.withVaeParallelSize(2).requireWorldSize(6))
        .doesNotThrowAnyException();
  }
}
