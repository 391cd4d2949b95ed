package io.xfuser.config;

import io.xfuser.failure.ArgumentException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** How many ranks share the work along each axis of the device mesh. */
public final class ParallelConfig extends ParallelSettings {
  /** More is a slip of the pen: no picture has work for them. */
  public static final int MOST_RANKS = 8192;

  ParallelConfig(ParallelConfigBuilder builder) {
    super(builder);
    List<Integer> blocks = attnLayerNumForPp();
    if (!blocks.isEmpty() && blocks.size() != pipefusionDegree()) {
      throw new ArgumentException(
          "%s %s is for %d pipeline stages, but %s is %d"
              .formatted(
                  ATTN_LAYER_NUM_FOR_PP,
                  blocks,
                  blocks.size(),
                  PIPEFUSION_PARALLEL_DEGREE,
                  pipefusionDegree()));
    }
    checkPatches(distrifusionDegree(), pipefusionDegree());
    checkUlysses(ulyssesDegree(), ulyssesTopology());
    checkRing();
    long product = 1;
    for (int degree : degrees()) {
      product *= degree;
      if (product + vaeParallelSize() > MOST_RANKS) {
        throw new ArgumentException(
            "%s: more ranks than the %d that a world can have".formatted(allFactors(), MOST_RANKS));
      }
    }
  }

  private void checkUlysses(int ranks, @Nullable Topology places) {
    if (places != null && places.nodes() * places.ranks() != ranks) {
      throw new ArgumentException(
          "%s has places for %d ranks, but %s is %d"
              .formatted(
                  ULYSSES_TOPOLOGY.with(places),
                  places.nodes() * places.ranks(),
                  ULYSSES_DEGREE,
                  ranks));
    }
    if (ranks == 1 && ulyssesSchedule() != Schedule.TOGETHER) {
      throw new ArgumentException(
          "%s is about what Ulysses ranks send one another, but %s is 1"
              .formatted(ULYSSES_SCHEDULE.with(ulyssesSchedule()), ULYSSES_DEGREE));
    }
    if (selectiveV() > 0 && (ranks == 1 || (places != null && places.nodes() == 1))) {
      throw new ArgumentException(
          "%s is about what nodes send one another, but %s"
              .formatted(
                  SELECTIVE_V,
                  places == null || ranks == 1
                      ? ULYSSES_DEGREE + " is 1"
                      : ULYSSES_TOPOLOGY.with(places) + " has one"));
    }
  }

  private void checkRing() {
    boolean compact = compactCompressType() != Compression.NONE;
    if (compact && ringDegree() == 1 && distrifusionDegree() == 1) {
      throw new ArgumentException(
          "%s is about what ranks of a ring or of DistriFusion send one another, but %s and %s are 1"
              .formatted(
                  COMPACT_COMPRESS_TYPE.with(compactCompressType()),
                  RING_DEGREE,
                  DISTRIFUSION_DEGREE));
    }
  }

  private void checkPatches(int ranks, int stages) {
    int displaced = distrifusionPatches();
    if (Math.max(ranks, displaced) > 1 && (stages > 1 || patches() > 1)) {
      throw new ArgumentException(
          "%s (DistriFusion) and %s (PipeFusion) exclude each other"
              .formatted(
                  ranks > 1
                      ? DISTRIFUSION_DEGREE.with(ranks)
                      : NUM_DISTRIFUSION_PATCH.with(displaced),
                  stages > 1
                      ? PIPEFUSION_PARALLEL_DEGREE.with(stages)
                      : NUM_PIPELINE_PATCH.with(patches())));
    }
    if (ranks > 1 && displaced != ranks) {
      throw new ArgumentException(
          "%s is %d, so that there are as many patches, but %s is %d"
              .formatted(DISTRIFUSION_DEGREE, ranks, NUM_DISTRIFUSION_PATCH, displaced));
    }
  }

  private List<Integer> degrees() {
    return List.of(
        tensorDegree(),
        ulyssesDegree(),
        ringDegree(),
        distrifusionDegree(),
        pipefusionDegree(),
        cfgDegree(),
        dataDegree());
  }

  /** One rank that does everything, until degrees are given. */
  public static ParallelConfigBuilder builder() {
    return new ParallelConfigBuilder();
  }

  /** A builder that starts from these values. */
  public ParallelConfigBuilder toBuilder() {
    return new ParallelConfigBuilder(this);
  }

  /** One rank does everything. */
  public static ParallelConfig serial() {
    return builder().build();
  }

  @Override
  public List<Setting<?>> settings() {
    return SETTINGS;
  }

  /** Groups of ranks that share the pictures. */
  public int dataDegree() {
    return value(DATA_PARALLEL_DEGREE);
  }

  /** 2 if the negative and the positive prompt have ranks of their own, else 1. */
  public int cfgDegree() {
    return value(USE_CFG_PARALLEL) ? 2 : 1;
  }

  /** Ranks that share the heads of an attention. */
  public int ulyssesDegree() {
    return value(ULYSSES_DEGREE);
  }

  /** Where these are; {@code null} = on the machines on which they are known to be. */
  public @Nullable Topology ulyssesTopology() {
    return get(ULYSSES_TOPOLOGY);
  }

  /** When they trade what they have. */
  public Schedule ulyssesSchedule() {
    return value(ULYSSES_SCHEDULE);
  }

  /** The share of another node's tokens that is not sent in the last step; 0 = all are sent. */
  public double selectiveV() {
    return value(SELECTIVE_V);
  }

  /** How they tell what has changed. */
  public Compression compactCompressType() {
    return value(COMPACT_COMPRESS_TYPE);
  }

  /** Ranks that pass keys and values around. */
  public int ringDegree() {
    return value(RING_DEGREE);
  }

  /** Ranks that each compute one patch of the image, DistriFusion. */
  public int distrifusionDegree() {
    return value(DISTRIFUSION_DEGREE);
  }

  /** Pipeline stages that share the blocks. */
  public int pipefusionDegree() {
    return value(PIPEFUSION_PARALLEL_DEGREE);
  }

  /** Ranks that share each weight matrix. */
  public int tensorDegree() {
    return value(TENSOR_PARALLEL_DEGREE);
  }

  /** Ranks after those of the transformer that do nothing but decode. */
  public int vaeParallelSize() {
    return value(VAE_PARALLEL_SIZE);
  }

  /** Blocks of each stage; empty = lengths that differ by at most one. */
  public List<Integer> attnLayerNumForPp() {
    return Objects.requireNonNullElse(get(ATTN_LAYER_NUM_FOR_PP), List.of());
  }

  /** The number of ranks: those of the transformer, and those of the VAE alone. */
  public int worldSize() {
    return ditParallelSize() + vaeParallelSize();
  }

  /** Ranks of the transformer: the product of the degrees. */
  public int ditParallelSize() {
    return tensorDegree() * sequenceDegree() * pipefusionDegree() * cfgDegree() * dataDegree();
  }

  /** Ranks that share the tokens: Ulysses × ring × DistriFusion. */
  public int sequenceDegree() {
    return ulyssesDegree() * ringDegree() * distrifusionDegree();
  }

  /** The number of PipeFusion's patches in effect: as given, else one per pipeline stage. */
  public int patches() {
    return Objects.requireNonNullElse(get(NUM_PIPELINE_PATCH), pipefusionDegree());
  }

  /** The number of DistriFusion's patches in effect: as given, else one per rank. */
  public int distrifusionPatches() {
    return Objects.requireNonNullElse(get(NUM_DISTRIFUSION_PATCH), distrifusionDegree());
  }

  /** The number of patches that one rank computes, one after the other. */
  public int patchesOfARank() {
    return Math.max(patches(), distrifusionPatches() / distrifusionDegree());
  }

  /**
   * xDiT's parallel info, the part of a file name that tells layouts apart: {@code
   * dp1_cfg1_ulysses2_ring1_pp2_patch4}, with {@code tp2_} before {@code pp} where the tensor
   * degree is not 1, and before that {@code df2_} for DistriFusion on two ranks, {@code df1x2_} for
   * as many patches on one.
   */
  public String label() {
    String tensor = tensorDegree() == 1 ? "" : "tp" + tensorDegree() + "_";
    return "dp%d_cfg%d_ulysses%d_ring%d_%s%spp%d_patch%d"
        .formatted(
            dataDegree(),
            cfgDegree(),
            ulyssesDegree(),
            ringDegree(),
            distrifusionLabel(),
            tensor,
            pipefusionDegree(),
            patches());
  }

  private String distrifusionLabel() {
    if (distrifusionPatches() == 1) {
      return "";
    }
    return distrifusionDegree() > 1
        ? "df" + distrifusionDegree() + "_"
        : "df1x" + distrifusionPatches() + "_";
  }

  /**
   * Checks that this layout is one for {@code ranks} ranks.
   *
   * @throws ArgumentException if it is for another number, with the degrees that make it
   */
  public void requireWorldSize(int ranks) {
    if (worldSize() == ranks) {
      return;
    }
    List<String> factors = factors();
    throw new ArgumentException(
        "the degrees multiply to %d%s%s, but there %s"
            .formatted(
                ditParallelSize(),
                factors.isEmpty() ? "" : " (" + String.join(" × ", factors) + ")",
                vaeParallelSize() == 0
                    ? ""
                    : ", and %s".formatted(VAE_PARALLEL_SIZE.with(vaeParallelSize())),
                ranks == 1 ? "is 1 rank" : "are " + ranks + " ranks"));
  }

  private String allFactors() {
    String product = String.join(" × ", factors());
    String apart = VAE_PARALLEL_SIZE.with(vaeParallelSize());
    if (vaeParallelSize() == 0) {
      return product;
    }
    return (product.isEmpty() ? "1 rank" : product) + " and " + apart;
  }

  /** The settings that make more ranks than one, with their values. */
  private List<String> factors() {
    List<String> factors = new ArrayList<>();
    for (Setting<?> setting : SETTINGS) {
      if (setting == USE_CFG_PARALLEL && cfgDegree() == 2) {
        factors.add(USE_CFG_PARALLEL + " 2");
      } else if (setting.name().endsWith("_degree") && !Objects.equals(get(setting), 1)) {
        factors.add(setting.with(Objects.requireNonNull(get(setting))));
      }
    }
    return factors;
  }
}
