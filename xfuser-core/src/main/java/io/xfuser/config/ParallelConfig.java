package io.xfuser.config;

import io.xfuser.failure.ArgumentException;
import java.util.ArrayList;
import java.util.List;

/**
 * How many ranks share the work along each axis of the device mesh.
 *
 * @param tensorDegree ranks that share each weight matrix
 * @param ulyssesDegree ranks that share the heads of an attention
 * @param ringDegree ranks that share its keys and values
 * @param distrifusionDegree ranks that each compute one patch of the image, DistriFusion
 * @param pipefusionDegree pipeline stages that share the blocks
 * @param cfgDegree 2 if the negative and the positive prompt have ranks of their own, else 1
 * @param dataDegree groups of ranks that share the pictures
 * @param numPipelinePatch patches of the image in PipeFusion; 0 = as many as stages
 * @param numDistrifusionPatch patches of the image in DistriFusion; 0 = as many as its ranks
 * @param attnLayerNumForPp blocks of each stage; empty = lengths that differ by at most one
 * @param splitScheme how tensor parallelism cuts weights; {@code row} is the only one
 * @param vaeParallelSize ranks after those of the transformer that do nothing but decode; 0 = the
 *     ranks of the transformer decode
 */
public record ParallelConfig(
    int tensorDegree,
    int ulyssesDegree,
    int ringDegree,
    int distrifusionDegree,
    int pipefusionDegree,
    int cfgDegree,
    int dataDegree,
    int numPipelinePatch,
    int numDistrifusionPatch,
    List<Integer> attnLayerNumForPp,
    String splitScheme,
    int vaeParallelSize) {

  /**
   * Checks the numbers against each other.
   *
   * @throws ArgumentException for a degree below 1, a CFG degree above 2, more ranks than an int
   *     can count, block counts that do not fit the stages, or DistriFusion with PipeFusion or with
   *     another number of patches than ranks, if it has more than one
   */
  public ParallelConfig {
    Check.atLeast(1, tensorDegree, "the tensor parallel degree");
    Check.atLeast(1, ulyssesDegree, "the Ulysses degree");
    Check.atLeast(1, ringDegree, "the ring degree");
    Check.atLeast(1, distrifusionDegree, "the DistriFusion degree");
    Check.atLeast(1, pipefusionDegree, "the PipeFusion degree");
    Check.atLeast(1, cfgDegree, "the CFG degree");
    Check.atLeast(1, dataDegree, "the data parallel degree");
    Check.atLeast(0, numPipelinePatch, "the number of pipeline patches");
    Check.atLeast(0, numDistrifusionPatch, "the number of DistriFusion patches");
    Check.atLeast(0, vaeParallelSize, "the number of ranks of the VAE alone");
    if (cfgDegree > 2) {
      throw new ArgumentException("the CFG degree must be 1 or 2, but is " + cfgDegree);
    }
    attnLayerNumForPp = List.copyOf(attnLayerNumForPp);
    for (int blocks : attnLayerNumForPp) {
      Check.atLeast(1, blocks, "the number of blocks of a pipeline stage");
    }
    if (!attnLayerNumForPp.isEmpty() && attnLayerNumForPp.size() != pipefusionDegree) {
      throw new ArgumentException(
          "the blocks are given for %d pipeline stages %s, but the PipeFusion degree is %d"
              .formatted(attnLayerNumForPp.size(), attnLayerNumForPp, pipefusionDegree));
    }
    if (!splitScheme.equals("row")) {
      throw new ArgumentException("the split scheme must be row, but is " + splitScheme);
    }
    checkPatches(distrifusionDegree, numDistrifusionPatch, pipefusionDegree, numPipelinePatch);
    long product = 1;
    for (int degree :
        new int[] {
          tensorDegree,
          ulyssesDegree,
          ringDegree,
          distrifusionDegree,
          pipefusionDegree,
          cfgDegree,
          dataDegree
        }) {
      product *= degree;
      if (product + vaeParallelSize > Integer.MAX_VALUE) {
        throw new ArgumentException("there are more ranks than " + Integer.MAX_VALUE);
      }
    }
  }

  private static void checkPatches(int ranks, int patches, int stages, int pipelinePatches) {
    int displaced = Math.max(ranks, patches);
    int pipelined = pipelinePatches > 0 ? pipelinePatches : stages;
    if (displaced > 1 && (stages > 1 || pipelined > 1)) {
      throw new ArgumentException(
          "DistriFusion (patches: %d) excludes PipeFusion (stages: %d, patches: %d)"
              .formatted(displaced, stages, pipelined));
    }
    if (ranks > 1 && patches > 0 && patches != ranks) {
      throw new ArgumentException(
          "DistriFusion on %d ranks has %d patches, not %d".formatted(ranks, ranks, patches));
    }
  }

  /** One rank does everything. */
  public static ParallelConfig serial() {
    return new ParallelConfig(1, 1, 1, 1, 1, 1, 1, 0, 0, List.of(), "row", 0);
  }

  /** The number of ranks: those of the transformer, and those of the VAE alone. */
  public int worldSize() {
    return ditParallelSize() + vaeParallelSize;
  }

  /** Ranks of the transformer: the product of the degrees. */
  public int ditParallelSize() {
    return tensorDegree * sequenceDegree() * pipefusionDegree * cfgDegree * dataDegree;
  }

  /** Ranks that share the tokens: Ulysses × ring × DistriFusion. */
  public int sequenceDegree() {
    return ulyssesDegree * ringDegree * distrifusionDegree;
  }

  /** The number of PipeFusion's patches in effect: as given, else one per pipeline stage. */
  public int patches() {
    return numPipelinePatch > 0 ? numPipelinePatch : pipefusionDegree;
  }

  /** The number of DistriFusion's patches in effect: as given, else one per rank. */
  public int distrifusionPatches() {
    return numDistrifusionPatch > 0 ? numDistrifusionPatch : distrifusionDegree;
  }

  /** The number of patches that one rank computes, one after the other. */
  public int patchesOfARank() {
    return Math.max(patches(), distrifusionPatches() / distrifusionDegree);
  }

  /**
   * xDiT's parallel info, the part of a file name that tells layouts apart: {@code
   * dp1_cfg1_ulysses2_ring1_pp2_patch4}, with {@code tp2_} before {@code pp} where the tensor
   * degree is not 1, and before that {@code df2_} for DistriFusion on two ranks, {@code df1x2_} for
   * as many patches on one.
   */
  public String label() {
    String tensor = tensorDegree == 1 ? "" : "tp" + tensorDegree + "_";
    return "dp%d_cfg%d_ulysses%d_ring%d_%s%spp%d_patch%d"
        .formatted(
            dataDegree,
            cfgDegree,
            ulyssesDegree,
            ringDegree,
            distrifusionLabel(),
            tensor,
            pipefusionDegree,
            patches());
  }

  private String distrifusionLabel() {
    if (distrifusionPatches() == 1) {
      return "";
    }
    return distrifusionDegree > 1
        ? "df" + distrifusionDegree + "_"
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
    List<String> factors = new ArrayList<>();
    factor(factors, "tensor", tensorDegree);
    factor(factors, "ulysses", ulyssesDegree);
    factor(factors, "ring", ringDegree);
    factor(factors, "distrifusion", distrifusionDegree);
    factor(factors, "pipefusion", pipefusionDegree);
    factor(factors, "cfg", cfgDegree);
    factor(factors, "data", dataDegree);
    throw new ArgumentException(
        "the degrees multiply to %d%s%s, but there %s"
            .formatted(
                ditParallelSize(),
                factors.isEmpty() ? "" : " (" + String.join(" x ", factors) + ")",
                vaeParallelSize == 0 ? "" : ", and %d of the VAE alone".formatted(vaeParallelSize),
                ranks == 1 ? "is 1 rank" : "are " + ranks + " ranks"));
  }

  private static void factor(List<String> factors, String axis, int degree) {
    if (degree > 1) {
      factors.add(axis + " " + degree);
    }
  }

  /** The same with another tensor parallel degree. */
  public ParallelConfig withTensor(int degree) {
    return with(Count.TENSOR, degree);
  }

  /** The same with another Ulysses degree. */
  public ParallelConfig withUlysses(int degree) {
    return with(Count.ULYSSES, degree);
  }

  /** The same with another ring degree. */
  public ParallelConfig withRing(int degree) {
    return with(Count.RING, degree);
  }

  /** The same with another number of DistriFusion ranks, each with a patch of its own. */
  public ParallelConfig withDistrifusion(int degree) {
    return with(Count.DISTRIFUSION_PATCHES, 0).with(Count.DISTRIFUSION, degree);
  }

  /** The same with another number of DistriFusion patches; 0 = as many as ranks. */
  public ParallelConfig withDistrifusionPatches(int patches) {
    return with(Count.DISTRIFUSION_PATCHES, patches);
  }

  /** The same with another number of pipeline stages, over which the blocks are spread evenly. */
  public ParallelConfig withPipefusion(int degree) {
    return withAttnLayerNumForPp(List.of()).with(Count.PIPEFUSION, degree);
  }

  /** The same with another CFG degree, 1 or 2. */
  public ParallelConfig withCfg(int degree) {
    return with(Count.CFG, degree);
  }

  /** The same with another data parallel degree. */
  public ParallelConfig withData(int degree) {
    return with(Count.DATA, degree);
  }

  /** The same with another number of patches; 0 = as many as stages. */
  public ParallelConfig withPatches(int patches) {
    return with(Count.PATCHES, patches);
  }

  /** The same with other ranks for the VAE alone; 0 = none. */
  public ParallelConfig withVaeParallelSize(int ranks) {
    return with(Count.VAE, ranks);
  }

  /** The same with other numbers of blocks per stage; empty = spread evenly. */
  public ParallelConfig withAttnLayerNumForPp(List<Integer> blocks) {
    return new ParallelConfig(
        tensorDegree,
        ulyssesDegree,
        ringDegree,
        distrifusionDegree,
        pipefusionDegree,
        cfgDegree,
        dataDegree,
        numPipelinePatch,
        numDistrifusionPatch,
        blocks,
        splitScheme,
        vaeParallelSize);
  }

  private enum Count {
    TENSOR,
    ULYSSES,
    RING,
    DISTRIFUSION,
    PIPEFUSION,
    CFG,
    DATA,
    PATCHES,
    DISTRIFUSION_PATCHES,
    VAE
  }

  private ParallelConfig with(Count changed, int value) {
    return new ParallelConfig(
        changed == Count.TENSOR ? value : tensorDegree,
        changed == Count.ULYSSES ? value : ulyssesDegree,
        changed == Count.RING ? value : ringDegree,
        changed == Count.DISTRIFUSION ? value : distrifusionDegree,
        changed == Count.PIPEFUSION ? value : pipefusionDegree,
        changed == Count.CFG ? value : cfgDegree,
        changed == Count.DATA ? value : dataDegree,
        changed == Count.PATCHES ? value : numPipelinePatch,
        changed == Count.DISTRIFUSION_PATCHES ? value : numDistrifusionPatch,
        attnLayerNumForPp,
        splitScheme,
        changed == Count.VAE ? value : vaeParallelSize);
  }
}
