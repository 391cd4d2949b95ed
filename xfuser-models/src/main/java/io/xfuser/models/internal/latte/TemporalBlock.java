package io.xfuser.models.internal.latte;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.models.internal.adaln.AdaLn;
import io.xfuser.models.internal.adaln.AdaLnConditioning;
import io.xfuser.models.internal.adaln.AdaLnConfig;
import io.xfuser.models.internal.parts.GridPositions;
import io.xfuser.models.internal.weights.WeightMap;
import io.xfuser.models.internal.weights.Weights;
import io.xfuser.torchscript.Program;
import io.xfuser.torchscript.TensorMap;
import io.xfuser.transformer.Block;
import io.xfuser.transformer.BlockContext;
import io.xfuser.transformer.Hidden;
import io.xfuser.weights.Share;
import java.util.List;

/**
 * Self-attention over the frames of each token, and an MLP.
 *
 * @param first whether this block adds the frames' position embeddings
 */
record TemporalBlock(int headSize, boolean first, TensorMap weights)
    implements Block<AdaLnConditioning> {
  private static final Program PROGRAM = Program.load(TemporalBlock.class, "latte.py");

  static TemporalBlock load(AdaLnConfig config, Weights block, Share share, boolean first) {
    return new TemporalBlock(
        config.headSize(), first, WeightMap.of(block, share, w -> AdaLn.selfAttention(w, config)));
  }

  @Override
  public Hidden forward(NDManager owner, Hidden x, AdaLnConditioning c, BlockContext context) {
    return x.with( // (B·F, l, C)
        context
            .terms(2, PROGRAM)
            .call(
                owner,
                "temporal_block",
                x.image(),
                c.modulation(this, PROGRAM),
                first && c.frames() > 1 ? List.of(positions(x.image(), c)) : List.of(),
                weights,
                headSize,
                c.frames(),
                AdaLnConfig.EPSILON));
  }

  private NDArray positions(NDArray like, AdaLnConditioning c) {
    int width = Math.toIntExact(like.getShape().get(2));
    return c.kept()
        .get(this, request -> GridPositions.line(request, c.frames(), width, like)); // (F, C)
  }
}
