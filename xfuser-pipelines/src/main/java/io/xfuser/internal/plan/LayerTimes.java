package io.xfuser.internal.plan;

import io.xfuser.internal.parallel.MeshAxis;
import io.xfuser.transformer.TransformerSpec;
import java.util.List;

/**
 * ChunkFlow's first-order model of a layer that is read while the one before it is computed (arXiv
 * 2605.11335): computing takes F/P, reading B/W, and what does not hide is the difference. F of s
 * tokens is {@code perToken}·s + {@code perPair}·s².
 *
 * @param perToken FLOPs of each token: two for each weight
 * @param perPair FLOPs of each pair of tokens: products of queries and keys, and with values
 * @param bytes B, those of the weights
 */
public record LayerTimes(double perToken, double perPair, double bytes) {
  /**
   * Of block {@code index} of a transformer.
   *
   * @param bytes of the share of it that is read
   * @param elementBytes bytes of each of its weights
   * @param shares among how many ranks its heads are divided
   */
  public static LayerTimes of(
      TransformerSpec<?> spec, int index, long bytes, int elementBytes, int shares) {
    double width = (double) spec.heads() * spec.headSize() / shares;
    return new LayerTimes(2.0 * bytes / elementBytes, 4 * width * spec.attentions(index), bytes);
  }

  /**
   * What a rank computes in a pass through its blocks for each byte that it reads meanwhile:
   * reading hides on a machine that computes less in that time. Text is left out.
   *
   * @param read how much it reads
   */
  public static double flopsPerByte(RankPlan rank, TransformerSpec<?> spec, Read read) {
    int shares = rank.mesh().degree(MeshAxis.TENSOR);
    double all = rank.layout().tokens();
    double own = rank.layout().length(rank.spans(rank.steps() - 1).get(0), rank.shard());
    double flops = 0;
    for (int i = 0; i < read.blocks().size(); i++) {
      long bytes = read.blocks().get(i);
      LayerTimes times = of(spec, rank.blocks().from() + i, bytes, read.elementBytes(), shares);
      flops += (times.perToken + times.perPair * all) * own;
    }
    return read.bytes() == 0 ? 0 : MemoryNeed.rows(rank) * flops / read.bytes();
  }

  /**
   * What a rank reads in a pass.
   *
   * @param blocks bytes of each of its blocks
   * @param bytes of those that do not stay
   * @param elementBytes bytes of a weight
   */
  public record Read(List<Long> blocks, long bytes, int elementBytes) {}

  /** F of so many tokens. */
  public double flops(double tokens) {
    return (perToken + perPair * tokens) * tokens;
  }

  /**
   * The tokens from which on reading hides.
   *
   * @param flopsPerByte P/W: what is computed while a byte is read
   */
  public double criticalTokens(double flopsPerByte) {
    double flops = bytes * flopsPerByte;
    return perPair == 0
        ? flops / perToken
        : (Math.sqrt(perToken * perToken + 4 * perPair * flops) - perToken) / (2 * perPair);
  }
}
