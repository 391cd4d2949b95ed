package io.xfuser.models.internal.sd3;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.model.PipelineComponents;
import io.xfuser.model.TextRequest;
import io.xfuser.models.internal.text.ClipOutput;
import io.xfuser.models.internal.text.ClipTextEncoder;
import io.xfuser.models.internal.text.T5Encoder;
import io.xfuser.models.internal.text.TextTower;
import io.xfuser.models.internal.text.TextTowers;
import io.xfuser.torchscript.Torch;
import io.xfuser.weights.Share;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Two CLIPs and T5: their states one after another, and the CLIPs' pooled texts side by side. A
 * directory may have no T5, whose states are zeros then. Of shares, only the first has CLIPs.
 */
final class SD3TextEncoder extends TextTowers {
  /** The name of the hidden states (B, T, text width). */
  static final String EMBEDS = "prompt_embeds";

  /** The name of the pooled texts (B, pooled width). */
  static final String POOLED = "pooled_prompt_embeds";

  private static final int STATE = -2; // of CLIP: the input of the last layer

  private final List<TextTower<ClipTextEncoder>> clips;
  private final @Nullable TextTower<T5Encoder> t5;
  private final int width;

  /**
   * Opens the three, or the CLIPs alone.
   *
   * @param width of T5's states, and of the zeros in their place
   */
  SD3TextEncoder(PipelineComponents components, int width, Share share) {
    super(components, share);
    this.width = width;
    clips =
        Stream.of("", "_2")
            .flatMap(name -> whole(name, ClipTextEncoder::openWithProjection).stream())
            .toList();
    t5 = components.has("text_encoder_3") ? t5("_3") : null;
  }

  @Override
  public Map<String, NDArray> encode(NDManager owner, TextRequest request) {
    return request.perPrompt(owner, this::encode);
  }

  private Map<String, NDArray> encode(NDManager owner, List<String> prompts, TextRequest request) {
    int tokens = request.options().maxSequenceLength();
    TextTower<T5Encoder> third = t5;
    if (clips.isEmpty() && third != null) {
      NDArray ids = third.ids(owner, prompts, tokens);
      return Map.of(EMBEDS, third.encoder().encode(owner, ids, request.context()));
    }
    try (NDManager scope = owner.newSubManager()) {
      ClipOutput first = clip(scope, 0, prompts); // (B, 77, C1), (B, P1)
      ClipOutput second = clip(scope, 1, prompts); // (B, 77, C2), (B, P2)
      NDArray states = // (B, T, text width)
          third == null
              ? SD3.PROGRAM.call(scope, "no_text", first.hidden(), tokens, width)
              : third.encoder().encode(scope, third.ids(scope, prompts, tokens), request.context());
      return Map.of(
          EMBEDS, // (B, 77 + T, text width)
          SD3.PROGRAM.call(owner, "join_texts", first.hidden(), second.hidden(), states),
          POOLED, // (B, P1 + P2)
          Torch.concat(owner, List.of(first.pooled(), second.pooled()), 1));
    }
  }

  private ClipOutput clip(NDManager owner, int index, List<String> prompts) {
    int tokens = clips.get(0).limit(ClipTextEncoder.LONGEST); // the first tokenizer's for both
    TextTower<ClipTextEncoder> clip = clips.get(index);
    return clip.encoder().encode(owner, clip.ids(owner, prompts, tokens), STATE);
  }
}
