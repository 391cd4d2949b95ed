package io.xfuser.config;

import java.util.List;

/** The settings of a layout; {@link ParallelConfig} has their values. */
abstract sealed class ParallelSettings extends Settings permits ParallelConfig {
  public static final Setting<Integer> DATA_PARALLEL_DEGREE =
      degree("data_parallel_degree", "Groups of ranks that share the pictures");

  public static final Setting<Boolean> USE_CFG_PARALLEL =
      Setting.off("use_cfg_parallel", "Own ranks for the negative and the positive prompt");

  public static final Setting<Integer> ULYSSES_DEGREE =
      degree("ulysses_degree", "Ranks that share the heads of an attention");

  public static final Setting<Topology> ULYSSES_TOPOLOGY =
      Setting.of(
              "ulysses_topology",
              Kind.parsed(Topology.class, Topology::parse, Topology::toString),
              "AxB",
              "The ranks of a Ulysses group as A nodes of B ranks, which exchange in two phases;"
                  + " 1xN exchanges in one")
          .open("by the ranks' machines, where these are known");

  public static final Setting<Schedule> ULYSSES_SCHEDULE =
      Setting.of(
              "ulysses_schedule",
              Kind.oneOf(Schedule.class),
              "ORDER",
              "together, or v_first: values travel while queries and keys are normed and turned")
          .or(Schedule.TOGETHER);

  public static final Setting<Double> SELECTIVE_V =
      Setting.of(
              "selective_v",
              Kind.number(0, 1),
              "R",
              "What share of another node's tokens Ulysses ranks keep of earlier steps in the last"
                  + " one, from 0 in the first; those whose values have changed most are sent")
          .or(0.0, "0: all are sent");

  public static final Setting<Integer> RING_DEGREE =
      degree("ring_degree", "Ranks that pass keys and values around");

  public static final Setting<Compression> COMPACT_COMPRESS_TYPE =
      Setting.of(
              "compact_compress_type",
              Kind.oneOf(Compression.class),
              "TYPE",
              "How ranks of a ring or of DistriFusion tell what has changed in keys and values"
                  + " since the step before: none, binary, int2 or int4, CompactFusion")
          .or(Compression.NONE);

  public static final Setting<Integer> DISTRIFUSION_DEGREE =
      degree("distrifusion_degree", "Ranks that each compute one patch of the image, DistriFusion");

  public static final Setting<Integer> NUM_DISTRIFUSION_PATCH =
      Setting.of(
              "num_distrifusion_patch",
              Kind.whole(1),
              "M",
              "Patches of the image in DistriFusion; with several ranks as many")
          .open("as many as ranks");

  public static final Setting<Integer> PIPEFUSION_PARALLEL_DEGREE =
      degree("pipefusion_parallel_degree", "Pipeline stages that share the blocks");

  public static final Setting<Integer> NUM_PIPELINE_PATCH =
      Setting.of("num_pipeline_patch", Kind.whole(1), "M", "Patches of the image in PipeFusion")
          .open("as many as stages");

  public static final Setting<List<Integer>> ATTN_LAYER_NUM_FOR_PP =
      Setting.of("attn_layer_num_for_pp", Kind.listOf(Kind.whole(1)), "N", "Blocks of each stage")
          .open("spread evenly");

  public static final Setting<Integer> TENSOR_PARALLEL_DEGREE =
      degree("tensor_parallel_degree", "Ranks that share the heads and neurons of each block");

  public static final Setting<Integer> VAE_PARALLEL_SIZE =
      Setting.of(
              "vae_parallel_size",
              Kind.whole(0),
              "N",
              "Ranks beside those of the transformer that do nothing but decode, together")
          .or(0, "0: ranks of the transformer decode");

  public static final List<Setting<?>> SETTINGS =
      List.of(
          DATA_PARALLEL_DEGREE,
          USE_CFG_PARALLEL,
          ULYSSES_DEGREE,
          ULYSSES_TOPOLOGY,
          ULYSSES_SCHEDULE,
          SELECTIVE_V,
          RING_DEGREE,
          COMPACT_COMPRESS_TYPE,
          DISTRIFUSION_DEGREE,
          NUM_DISTRIFUSION_PATCH,
          PIPEFUSION_PARALLEL_DEGREE,
          NUM_PIPELINE_PATCH,
          ATTN_LAYER_NUM_FOR_PP,
          TENSOR_PARALLEL_DEGREE,
          VAE_PARALLEL_SIZE);

  ParallelSettings(ParallelConfigBuilder builder) {
    super(builder);
  }

  private static Setting<Integer> degree(String name, String meaning) {
    return Setting.of(name, Kind.whole(1), "N", meaning).or(1);
  }
}
