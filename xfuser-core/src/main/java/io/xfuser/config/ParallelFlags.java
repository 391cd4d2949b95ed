package io.xfuser.config;

import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** How many ranks along each axis, as written. */
final class ParallelFlags {
  @Option(
      names = "--data_parallel_degree",
      paramLabel = "N",
      description = "Groups of ranks that share the pictures (default: 1)")
  int data = 1;

  @Option(
      names = "--use_cfg_parallel",
      description = "Own ranks for the negative and the positive prompt (default: off)")
  boolean cfg;

  @Option(names = "--use_split_batch", description = "The same by its old name (default: off)")
  boolean splitBatch;

  @Option(
      names = "--ulysses_degree",
      paramLabel = "N",
      description = "Ranks that share the heads of an attention (default: 1)")
  int ulysses = 1;

  @Option(
      names = "--ring_degree",
      paramLabel = "N",
      description = "Ranks that pass keys and values around (default: 1)")
  int ring = 1;

  @Option(
      names = "--distrifusion_degree",
      paramLabel = "N",
      description = "Ranks that each compute one patch of the image, DistriFusion (default: 1)")
  int distrifusion = 1;

  @Option(
      names = "--num_distrifusion_patch",
      paramLabel = "M",
      description =
          "Patches of the image in DistriFusion; with several ranks as many (default: as many as"
              + " ranks)")
  @Nullable Integer distrifusionPatches;

  @Option(
      names = "--pipefusion_parallel_degree",
      paramLabel = "N",
      description = "Pipeline stages that share the blocks (default: 1)")
  int pipefusion = 1;

  @Option(
      names = "--num_pipeline_patch",
      paramLabel = "M",
      description = "Patches of the image in PipeFusion (default: as many as stages)")
  @Nullable Integer patches;

  @Option(
      names = "--attn_layer_num_for_pp",
      arity = "1..*",
      paramLabel = "N",
      description = "Blocks of each stage (default: spread evenly)")
  List<Integer> blocks = List.of();

  @Option(
      names = "--tensor_parallel_degree",
      paramLabel = "N",
      description = "Ranks that share the heads and neurons of each block (default: 1)")
  int tensor = 1;

  @Option(
      names = "--split_scheme",
      paramLabel = "NAME",
      description = "How tensor parallelism cuts weights; row is the only one (default: row)")
  String splitScheme = "row";

  @Option(
      names = "--dit_parallel_size",
      paramLabel = "N",
      description = "Ranks of the transformer; only checked (default: the product of the degrees)")
  int dit;

  @Option(
      names = "--vae_parallel_size",
      paramLabel = "N",
      description =
          "Ranks beside those of the transformer that do nothing but decode, together (default: 0:"
              + " ranks of the transformer decode)")
  int vae;
}
