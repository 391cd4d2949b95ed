package io.xfuser.models.video;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.models.internal.text.Captions;
import io.xfuser.torchscript.TensorMap;
import io.xfuser.transformer.ConditionInput;
import io.xfuser.transformer.Conditioner;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What the blocks read.
 *
 * @param text (B, T, C)
 * @param mask (B, T), 0 where text is padding
 * @param positions (l, C) in fp32
 * @param timeOrNull (1, C); null before the first step
 */
record VideoConditioning(
    NDArray text, NDArray mask, NDArray positions, @Nullable NDArray timeOrNull) {
  NDArray time() {
    return Objects.requireNonNull(timeOrNull);
  }

  /** Makes them. */
  record Maker(TensorMap weights, int width) implements Conditioner<VideoConditioning> {
    @Override
    public VideoConditioning begin(NDManager request, ConditionInput input) {
      NDArray embeds = input.text(Captions.EMBEDS); // (B, T, text width)
      try (NDManager scope = request.newSubManager()) {
        return new VideoConditioning(
            VideoDiT.PROGRAM.call(request, "project_text", embeds, weights),
            input.text(Captions.MASK),
            VideoDiT.PROGRAM.call(request, "positions", input.coordinates(scope, embeds), width),
            null);
      }
    }

    @Override
    public VideoConditioning at(NDManager step, VideoConditioning c, double timestep) {
      NDArray time = VideoDiT.PROGRAM.call(step, "time", timestep, c.text(), weights); // (1, C)
      return new VideoConditioning(c.text(), c.mask(), c.positions(), time);
    }

    @Override
    public NDArray jointText(VideoConditioning c) {
      return c.text();
    }
  }
}
