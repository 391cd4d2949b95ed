package io.xfuser.models.internal.sd3;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.attention.Qkv;
import io.xfuser.models.internal.joint.JointConditioning;
import io.xfuser.nn.TokenLayout.TextTokens;
import io.xfuser.transformer.BlockContext;
import io.xfuser.transformer.Hidden;
import java.util.List;

/**
 * How a block attends, with a picture that is a prompt or without: beside each of its attentions,
 * image tokens attend all image tokens once more, by queries and keys that are normed otherwise,
 * and the picture's tokens with them.
 *
 * @param scale how much of that is added; 0 = there is no adapter
 * @param attentions of a block without adapter
 */
record PictureAttention(double scale, int attentions) {
  /** What attends: attention {@code number}, in the {@code context} of its block. */
  record Asked(int number, Hidden x, JointConditioning c, BlockContext context) {}

  /**
   * The values (B, t + l, H, D) that attention {@code number} gives.
   *
   * @param packed (B, t + l, 3, H, D), of the image tokens as it is projected
   * @param qkv the same, of which the rest is still to be done
   */
  NDArray attend(NDManager owner, Asked asked, SD3Block block, NDArray packed, Qkv qkv) {
    if (scale == 0 || !(asked.c().shown() instanceof SD3Pictures pictures)) {
      return asked.context().attend(owner, asked.number(), qkv);
    }
    long image = asked.x().image().getShape().get(1);
    try (NDManager scope = owner.newSubManager()) {
      NDArray shown = shown(scope, asked, block, packed, pictures); // before the rest is done
      NDArray attended = asked.context().attend(scope, asked.number(), qkv); // (B, t + l, H, D)
      return SD3.SHOWN.call(owner, "add_shown", attended, shown, image, scale);
    }
  }

  /** What the image tokens attend with the picture's, (B, s + l, H, D). */
  private NDArray shown(
      NDManager owner, Asked asked, SD3Block block, NDArray packed, SD3Pictures pictures) {
    Hidden.Place place = asked.x().place();
    TextTokens own = pictures.tokens(asked.x().place().text());
    long text = packed.getShape().get(1) - asked.x().image().getShape().get(1);
    try (NDManager scope = owner.newSubManager()) {
      List<NDArray> tokens = pictures.own(scope, own);
      NDArray both = // (B, s + l, 3, H, D)
          SD3.SHOWN.call(
              scope,
              "before_shown",
              packed,
              text,
              tokens,
              pictures.modulations(block),
              block.weights(),
              asked.number());
      return asked
          .context()
          .attend(owner, attentions + asked.number(), new Qkv(both, own, place.span()));
    }
  }
}
