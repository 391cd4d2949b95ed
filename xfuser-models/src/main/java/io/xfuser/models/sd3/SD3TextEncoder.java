package io.xfuser.models.sd3;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.models.text.ClipOutput;
import io.xfuser.models.text.ClipTextEncoder;
import io.xfuser.models.text.T5Encoder;
import io.xfuser.models.text.TextModel;
import io.xfuser.models.text.TextTower;
import io.xfuser.pipeline.PipelineComponents;
import io.xfuser.pipeline.TextEncoder;
import io.xfuser.pipeline.TextRequest;
import io.xfuser.torchscript.Torch;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Two CLIPs and T5: their states one after another, and the CLIPs' pooled texts side by side. A
 * directory may have no T5, whose states are zeros then.
 */
final class SD3TextEncoder implements TextEncoder {
  /** The name of the hidden states (B, T, text width). */
  static final String EMBEDS = "prompt_embeds";

  /** The name of the pooled texts (B, pooled width). */
  static final String POOLED = "pooled_prompt_embeds";

  private static final int CLIP_TOKENS = 77;
  private static final int STATE = -2; // of CLIP: the input of the last layer

  private final List<TextTower<? extends TextModel>> open = new ArrayList<>();
  private final TextTower<ClipTextEncoder> clip;
  private final TextTower<ClipTextEncoder> secondClip;
  private final @Nullable TextTower<T5Encoder> t5;
  private final int width;

  /**
   * Opens the three, or the CLIPs alone.
   *
   * @param width of T5's states, and of the zeros in their place
   */
  SD3TextEncoder(PipelineComponents components, int width) {
    this.width = width;
    try {
      clip = opened(TextTower.open(components, "", ClipTextEncoder::openWithProjection));
      secondClip = opened(TextTower.open(components, "_2", ClipTextEncoder::openWithProjection));
      t5 =
          components.has("text_encoder_3")
              ? opened(TextTower.open(components, "_3", T5Encoder::open))
              : null;
    } catch (RuntimeException e) {
      close();
      throw e;
    }
  }

  private <E extends TextModel> TextTower<E> opened(TextTower<E> tower) {
    open.add(tower);
    return tower;
  }

  @Override
  public Map<String, NDArray> encode(NDManager owner, TextRequest request) {
    return request.perPrompt(
        owner, (to, prompts) -> encode(to, prompts, request.options().maxSequenceLength()));
  }

  private Map<String, NDArray> encode(NDManager owner, List<String> prompts, int tokens) {
    // the first tokenizer's limit holds for both
    int clipTokens = clip.tokenizer().modelMaxLength().orElse(CLIP_TOKENS);
    try (NDManager scope = owner.newSubManager()) {
      ClipOutput first = // (B, 77, C1), (B, P1)
          clip.encoder().encode(scope, clip.ids(scope, prompts, clipTokens), STATE);
      ClipOutput second = // (B, 77, C2), (B, P2)
          secondClip.encoder().encode(scope, secondClip.ids(scope, prompts, clipTokens), STATE);
      TextTower<T5Encoder> third = t5;
      NDArray states = // (B, T, text width)
          third == null
              ? SD3.PROGRAM.call(scope, "no_text", first.hidden(), tokens, width)
              : third.encoder().encode(scope, third.ids(scope, prompts, tokens));
      return Map.of(
          EMBEDS, // (B, 77 + T, text width)
          SD3.PROGRAM.call(owner, "join_texts", first.hidden(), second.hidden(), states),
          POOLED, // (B, P1 + P2)
          Torch.concat(owner, List.of(first.pooled(), second.pooled()), 1));
    }
  }

  @Override
  public long parameterBytes() {
    return open.stream().mapToLong(tower -> tower.encoder().parameterBytes()).sum();
  }

  @Override
  public void close() {
    open.forEach(TextTower::close);
  }
}
