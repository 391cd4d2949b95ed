package io.xfuser.config;

import io.xfuser.config.Settings.Compression;
import io.xfuser.config.Settings.Schedule;
import io.xfuser.config.Settings.Topology;
import io.xfuser.failure.ArgumentException;
import java.util.List;

/** Degrees that are being put together; each is 1 until it is given. */
public final class ParallelConfigBuilder extends Settings.Builder<ParallelConfigBuilder> {
  ParallelConfigBuilder() {}

  ParallelConfigBuilder(ParallelConfig from) {
    super(from);
  }

  @Override
  ParallelConfigBuilder self() {
    return this;
  }

  @Override
  public List<Setting<?>> settings() {
    return ParallelConfig.SETTINGS;
  }

  /**
   * Groups of ranks that share the pictures, at least 1: exact, no messages between them, each
   * group needs all weights.
   */
  public ParallelConfigBuilder dataDegree(int groups) {
    return set(ParallelConfig.DATA_PARALLEL_DEGREE, groups);
  }

  /**
   * 2: the negative and the positive prompt have ranks of their own, 1: they have not. Exact; one
   * message per step.
   *
   * @throws ArgumentException for another number
   */
  public ParallelConfigBuilder cfgDegree(int degree) {
    if (degree != 1 && degree != 2) {
      throw new ArgumentException("the CFG degree must be 1 or 2, but is " + degree);
    }
    return set(ParallelConfig.USE_CFG_PARALLEL, degree == 2);
  }

  /**
   * Ranks that share the heads of an attention, at least 1, a divisor of the heads. Exact; four
   * all-to-alls per attention.
   */
  public ParallelConfigBuilder ulyssesDegree(int ranks) {
    return set(ParallelConfig.ULYSSES_DEGREE, ranks);
  }

  /**
   * The ranks of a Ulysses group as {@code nodes} of {@code ranks} each, together the degree: they
   * exchange in two phases, first on each node, and the picture's bits stay. By default the
   * machines that ranks are on are the nodes, where they are known.
   */
  public ParallelConfigBuilder ulyssesTopology(int nodes, int ranks) {
    return set(ParallelConfig.ULYSSES_TOPOLOGY, new Topology(nodes, ranks));
  }

  /**
   * Whether values travel while queries and keys are normed and turned: the same bits, one message
   * more to each rank per attention.
   */
  public ParallelConfigBuilder ulyssesSchedule(Schedule order) {
    return set(ParallelConfig.ULYSSES_SCHEDULE, order);
  }

  /**
   * How ranks of a ring or of DistriFusion tell what has changed in keys and values since the step
   * before: another picture, fewer bytes.
   */
  public ParallelConfigBuilder compactCompressType(Compression type) {
    return set(ParallelConfig.COMPACT_COMPRESS_TYPE, type);
  }

  /**
   * The share of another node's tokens, from 0 to 1, that are not sent in the last step, from none
   * in the first: another picture, fewer bytes between nodes.
   */
  public ParallelConfigBuilder selectiveV(double share) {
    return set(ParallelConfig.SELECTIVE_V, share);
  }

  /**
   * Ranks that pass keys and values around, at least 1. Exact to rounding; as many messages per
   * attention, which overlap with computing.
   */
  public ParallelConfigBuilder ringDegree(int ranks) {
    return set(ParallelConfig.RING_DEGREE, ranks);
  }

  /**
   * Ranks that each compute one patch of the image, DistriFusion, at least 1. After the warm-up
   * steps keys and values are those of the step before: another picture, little waiting.
   */
  public ParallelConfigBuilder distrifusionDegree(int ranks) {
    return set(ParallelConfig.DISTRIFUSION_DEGREE, ranks);
  }

  /**
   * Patches of the image in DistriFusion, 0 (the default) or as many as ranks, or on one rank any
   * number: DistriFusion's pictures without its ranks.
   */
  public ParallelConfigBuilder numDistrifusionPatch(int patches) {
    return set(ParallelConfig.NUM_DISTRIFUSION_PATCH, patches == 0 ? null : patches);
  }

  /**
   * Pipeline stages that share the blocks and their weights, at least 1: PipeFusion. After the
   * warm-up steps keys and values are those of the step before: another picture, few messages.
   */
  public ParallelConfigBuilder pipefusionDegree(int stages) {
    return set(ParallelConfig.PIPEFUSION_PARALLEL_DEGREE, stages);
  }

  /** Patches of the image in PipeFusion, at least 1; 0, the default: as many as stages. */
  public ParallelConfigBuilder numPipelinePatch(int patches) {
    return set(ParallelConfig.NUM_PIPELINE_PATCH, patches == 0 ? null : patches);
  }

  /** Blocks of each stage, at least 1 each; by default lengths that differ by at most one. */
  public ParallelConfigBuilder attnLayerNumForPp(List<Integer> blocks) {
    return set(ParallelConfig.ATTN_LAYER_NUM_FOR_PP, blocks);
  }

  /**
   * Ranks that share each weight matrix and its memory, at least 1. Exact to rounding; two sums
   * over the ranks per block, which need a fast connection.
   */
  public ParallelConfigBuilder tensorDegree(int ranks) {
    return set(ParallelConfig.TENSOR_PARALLEL_DEGREE, ranks);
  }

  /**
   * Ranks after those of the transformer that do nothing but decode, at least 0; by default the
   * ranks of the transformer decode.
   */
  public ParallelConfigBuilder vaeParallelSize(int ranks) {
    return set(ParallelConfig.VAE_PARALLEL_SIZE, ranks);
  }

  /**
   * The layout.
   *
   * @throws ArgumentException for more ranks than an int can count, block counts that do not fit
   *     the stages, or DistriFusion with PipeFusion or with another number of patches than ranks,
   *     if it has more than one
   */
  public ParallelConfig build() {
    return new ParallelConfig(this);
  }
}
