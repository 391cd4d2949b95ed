package io.xfuser.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.xfuser.config.Settings.Schedule;
import io.xfuser.config.Settings.Topology;
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
  private static final String TOO_MANY = ": more ranks than the 8192 that a world can have";

  private static final ParallelConfig ALL =
      ParallelConfig.builder()
          .tensorDegree(2)
          .ulyssesDegree(3)
          .ringDegree(5)
          .pipefusionDegree(7)
          .cfgDegree(2)
          .dataDegree(11)
          .numPipelinePatch(13)
          .build();

  @Test
  void worldSizeIsTheProductOfAllDegrees() {
    assertThat(ALL.worldSize()).isEqualTo(2 * 3 * 5 * 7 * 2 * 11);
    assertThat(ALL.sequenceDegree()).isEqualTo(15);
    assertThat(ParallelConfig.serial().worldSize()).isEqualTo(1);
    ParallelConfig apart = ALL.toBuilder().vaeParallelSize(3).build();
    assertThat(apart.ditParallelSize()).isEqualTo(ALL.worldSize());
    assertThat(apart.worldSize()).isEqualTo(ALL.worldSize() + 3);
    ParallelConfig displaced =
        ALL.toBuilder().pipefusionDegree(1).numPipelinePatch(0).distrifusionDegree(7).build();
    assertThat(displaced.worldSize()).isEqualTo(ALL.worldSize());
    assertThat(displaced.sequenceDegree()).isEqualTo(15 * 7);
  }

  @Test
  void eachSetterSetsItsOwnNumberAlone() {
    assertThat(ALL)
        .hasToString(
            "ParallelConfig[data_parallel_degree=11, use_cfg_parallel=true, ulysses_degree=3,"
                + " ulysses_topology=none, ulysses_schedule=together, selective_v=0.0,"
                + " ring_degree=5, compact_compress_type=none, distrifusion_degree=1,"
                + " num_distrifusion_patch=none,"
                + " pipefusion_parallel_degree=7, num_pipeline_patch=13,"
                + " attn_layer_num_for_pp=none, tensor_parallel_degree=2, vae_parallel_size=0]");
    ParallelConfig displaced =
        ParallelConfig.builder().distrifusionDegree(2).numDistrifusionPatch(2).build();
    assertThat(displaced.distrifusionDegree()).isEqualTo(2);
    assertThat(displaced.distrifusionPatches()).isEqualTo(2);
    assertThat(ALL.toBuilder().ringDegree(1).ringDegree(5).build()).isEqualTo(ALL);
    assertThat(ParallelConfig.builder().numPipelinePatch(0).build())
        .isEqualTo(ParallelConfig.serial());
  }

  @ParameterizedTest
  @CsvSource({"1, 0, 1", "4, 0, 4", "4, 6, 6", "1, 3, 3"})
  void patchesAreAsManyAsStagesUnlessGiven(int stages, int given, int patches) {
    ParallelConfig config =
        ParallelConfig.builder().pipefusionDegree(stages).numPipelinePatch(given).build();
    assertThat(config.patches()).isEqualTo(patches);
  }

  @ParameterizedTest
  @CsvSource({"1, 0, 1, 1", "4, 0, 4, 1", "4, 4, 4, 1", "1, 3, 3, 3"})
  void aDistriFusionRankHasOnePatchAndASingleRankAll(int ranks, int given, int patches, int each) {
    ParallelConfig config =
        ParallelConfig.builder().distrifusionDegree(ranks).numDistrifusionPatch(given).build();
    assertThat(config.distrifusionPatches()).isEqualTo(patches);
    assertThat(config.patchesOfARank()).isEqualTo(each);
    assertThat(config.worldSize()).isEqualTo(ranks);
  }

  static Stream<Arguments> twoKindsOfPatches() {
    ParallelConfig two = ParallelConfig.builder().distrifusionDegree(2).build();
    return Stream.of(
        Arguments.of(two, 2, 0, both("distrifusion_degree 2", "pipefusion_parallel_degree 2")),
        Arguments.of(two, 2, 1, both("distrifusion_degree 2", "pipefusion_parallel_degree 2")),
        Arguments.of(two, 1, 4, both("distrifusion_degree 2", "num_pipeline_patch 4")),
        Arguments.of(
            ParallelConfig.builder().numDistrifusionPatch(3).build(),
            1,
            2,
            both("num_distrifusion_patch 3", "num_pipeline_patch 2")));
  }

  private static String both(String displaced, String pipeline) {
    return displaced + " (DistriFusion) and " + pipeline + " (PipeFusion) exclude each other";
  }

  @ParameterizedTest
  @MethodSource("twoKindsOfPatches")
  void distriFusionAndPipeFusionAreRefusedTogether(
      ParallelConfig displaced, int stages, int patches, String message) {
    ParallelConfig pipelined =
        ParallelConfig.builder().pipefusionDegree(stages).numPipelinePatch(patches).build();
    assertThatThrownBy(
            () ->
                pipelined.toBuilder()
                    .distrifusionDegree(displaced.distrifusionDegree())
                    .numDistrifusionPatch(displaced.distrifusionPatches())
                    .build())
        .isInstanceOf(ArgumentException.class)
        .hasMessage(message);
  }

  @Test
  void labelIsTheParallelInfoOfXDit() {
    ParallelConfig config =
        ParallelConfig.builder().ulyssesDegree(2).pipefusionDegree(2).numPipelinePatch(4).build();
    assertThat(config.label()).isEqualTo("dp1_cfg1_ulysses2_ring1_pp2_patch4");
    assertThat(ALL.label()).isEqualTo("dp11_cfg2_ulysses3_ring5_tp2_pp7_patch13");
    ParallelConfig four = ParallelConfig.builder().distrifusionDegree(4).build();
    assertThat(four.label()).isEqualTo("dp1_cfg1_ulysses1_ring1_df4_pp1_patch1");
    assertThat(four.toBuilder().tensorDegree(2).build().label())
        .isEqualTo("dp1_cfg1_ulysses1_ring1_df4_tp2_pp1_patch1");
    assertThat(ParallelConfig.builder().numDistrifusionPatch(4).build().label())
        .isEqualTo("dp1_cfg1_ulysses1_ring1_df1x4_pp1_patch1");
  }

  @Test
  void blocksOfStagesMustMatchTheStages() {
    ParallelConfig two = ParallelConfig.builder().pipefusionDegree(2).build();
    assertThat(two.toBuilder().attnLayerNumForPp(List.of(10, 18)).build().attnLayerNumForPp())
        .containsExactly(10, 18);
    assertThatThrownBy(() -> two.toBuilder().attnLayerNumForPp(List.of(10, 9, 9)).build())
        .isInstanceOf(ArgumentException.class)
        .hasMessage(
            "attn_layer_num_for_pp [10, 9, 9] is for 3 pipeline stages, but"
                + " pipefusion_parallel_degree is 2");
    assertThatThrownBy(() -> two.toBuilder().attnLayerNumForPp(List.of(28, 0)).build())
        .hasMessage("attn_layer_num_for_pp must be at least 1, but is 0");
  }

  static Stream<Arguments> impossible() {
    return Stream.of(
        bad(c -> c.tensorDegree(0), "tensor_parallel_degree must be at least 1, but is 0"),
        bad(c -> c.ulyssesDegree(0), "ulysses_degree must be at least 1, but is 0"),
        bad(c -> c.ringDegree(-1), "ring_degree must be at least 1, but is -1"),
        bad(c -> c.pipefusionDegree(0), "pipefusion_parallel_degree must be at least 1, but is 0"),
        bad(c -> c.distrifusionDegree(0), "distrifusion_degree must be at least 1, but is 0"),
        bad(
            c -> c.numDistrifusionPatch(-1),
            "num_distrifusion_patch must be at least 1, but is -1"),
        bad(
            c -> c.distrifusionDegree(4).numDistrifusionPatch(3),
            "distrifusion_degree is 4, so that there are as many patches, but"
                + " num_distrifusion_patch is 3"),
        bad(c -> c.cfgDegree(0), "the CFG degree must be 1 or 2, but is 0"),
        bad(c -> c.cfgDegree(3), "the CFG degree must be 1 or 2, but is 3"),
        bad(c -> c.dataDegree(0), "data_parallel_degree must be at least 1, but is 0"),
        bad(c -> c.numPipelinePatch(-1), "num_pipeline_patch must be at least 1, but is -1"),
        bad(
            c -> c.ulyssesDegree(65536).ringDegree(65536),
            "ulysses_degree 65536 × ring_degree 65536" + TOO_MANY),
        bad(
            c -> c.pipefusionDegree(Integer.MAX_VALUE),
            "pipefusion_parallel_degree 2147483647" + TOO_MANY),
        bad(
            c -> c.ulyssesDegree(8192).vaeParallelSize(1),
            "ulysses_degree 8192 and vae_parallel_size 1" + TOO_MANY),
        bad(
            c -> c.vaeParallelSize(Integer.MAX_VALUE),
            "1 rank and vae_parallel_size 2147483647" + TOO_MANY),
        bad(
            c -> c.ulyssesSchedule(Schedule.V_FIRST),
            "ulysses_schedule v_first is about what Ulysses ranks send one another, but"
                + " ulysses_degree is 1"),
        bad(c -> c.vaeParallelSize(-1), "vae_parallel_size must be at least 0, but is -1"));
  }

  private static Arguments bad(UnaryOperator<ParallelConfigBuilder> change, String message) {
    return Arguments.of(change, message);
  }

  @ParameterizedTest
  @MethodSource("impossible")
  void impossibleNumbersAreRejected(UnaryOperator<ParallelConfigBuilder> change, String message) {
    assertThatThrownBy(() -> change.apply(ParallelConfig.builder()).build())
        .isInstanceOf(ArgumentException.class)
        .hasMessage(message);
  }

  @Test
  void anotherWorldSizeIsRejectedWithTheFactors() {
    ParallelConfig four = ParallelConfig.builder().ulyssesDegree(2).pipefusionDegree(2).build();
    assertThatCode(() -> four.requireWorldSize(4)).doesNotThrowAnyException();
    assertThatThrownBy(() -> four.requireWorldSize(3))
        .isInstanceOf(ArgumentException.class)
        .hasMessage(
            "the degrees multiply to 4 (ulysses_degree 2 × pipefusion_parallel_degree 2), but there"
                + " are 3 ranks");
    assertThatThrownBy(() -> four.requireWorldSize(1)).hasMessageEndingWith("but there is 1 rank");
    assertThatThrownBy(
            () -> ParallelConfig.builder().distrifusionDegree(3).build().requireWorldSize(2))
        .hasMessage("the degrees multiply to 3 (distrifusion_degree 3), but there are 2 ranks");
    assertThatThrownBy(() -> ParallelConfig.serial().requireWorldSize(2))
        .hasMessage("the degrees multiply to 1, but there are 2 ranks");
    assertThatThrownBy(() -> four.toBuilder().vaeParallelSize(2).build().requireWorldSize(4))
        .hasMessage(
            "the degrees multiply to 4 (ulysses_degree 2 × pipefusion_parallel_degree 2), and"
                + " vae_parallel_size 2, but there are 4 ranks");
    assertThatCode(() -> four.toBuilder().vaeParallelSize(2).build().requireWorldSize(6))
        .doesNotThrowAnyException();
  }

  @Test
  void theRanksOfAUlyssesGroupHavePlacesOnNodes() {
    ParallelConfig nodes = ParallelConfig.builder().ulyssesDegree(6).ulyssesTopology(2, 3).build();
    assertThat(nodes.ulyssesTopology()).hasToString("2x3");
    assertThat(nodes.worldSize()).isEqualTo(6);
    assertThat(ParallelConfig.serial().ulyssesTopology()).isNull();
    assertThatThrownBy(() -> nodes.toBuilder().ulyssesDegree(4).build())
        .isInstanceOf(ArgumentException.class)
        .hasMessage("ulysses_topology 2x3 has places for 6 ranks, but ulysses_degree is 4");
  }

  @ParameterizedTest
  @CsvSource({"2", "2x", "x3", "0x4", "-1x2", "2*3", "2x3x1", "2 x 3", "two by three", "99999x1"})
  void whatIsNoTopologyIsRefused(String text) {
    assertThatThrownBy(() -> ParallelConfig.builder().set(ParallelConfig.ULYSSES_TOPOLOGY, text))
        .isInstanceOf(ArgumentException.class)
        .hasMessage("ulysses_topology must be nodes x ranks of each, such as 2x4, but is " + text);
  }

  @Test
  void schedulesAndSharesAreReadAsTheyAreWritten() {
    ParallelConfig read =
        ParallelConfig.builder()
            .set(ParallelConfig.ULYSSES_DEGREE, 4)
            .set(ParallelConfig.ULYSSES_TOPOLOGY, "2X2")
            .set(ParallelConfig.ULYSSES_SCHEDULE, "V_First")
            .set(ParallelConfig.SELECTIVE_V, "0.75")
            .build();
    assertThat(read.ulyssesTopology()).isEqualTo(new Topology(2, 2));
    assertThat(read.ulyssesSchedule()).isEqualTo(Schedule.V_FIRST);
    assertThat(read.selectiveV()).isEqualTo(0.75);
    assertThatThrownBy(() -> read.toBuilder().set(ParallelConfig.ULYSSES_SCHEDULE, "k_first"))
        .hasMessage("ulysses_schedule must be together or v_first, but is k_first");
    assertThatThrownBy(() -> read.toBuilder().selectiveV(1.5))
        .hasMessage("selective_v must be from 0 to 1, but is 1.5");
  }
}
