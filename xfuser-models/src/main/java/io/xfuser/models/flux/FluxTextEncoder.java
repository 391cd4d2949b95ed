package io.xfuser.models.flux;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.models.text.ClipTextEncoder;
import io.xfuser.models.text.T5Encoder;
import io.xfuser.models.text.TextTower;
import io.xfuser.pipeline.PipelineComponents;
import io.xfuser.pipeline.TextEncoder;
import io.xfuser.pipeline.TextRequest;
import java.util.List;
import java.util.Map;

/** CLIP's pooled output, and the states of T5, which attends its padding too. */
final class FluxTextEncoder implements TextEncoder {
  /** The name of T5's hidden states (B, T, text width). */
  static final String EMBEDS = "prompt_embeds";

  /** The name of CLIP's pooled output (B, pooled width). */
  static final String POOLED = "pooled_prompt_embeds";

  private static final int CLIP_TOKENS = 77;

  private final TextTower<ClipTextEncoder> clip;
  private final TextTower<T5Encoder> t5;

  FluxTextEncoder(PipelineComponents components) {
    this.clip = TextTower.open(components, "", ClipTextEncoder::open);
    try {
      this.t5 = TextTower.open(components, "_2", T5Encoder::open);
    } catch (RuntimeException e) {
      clip.close();
      throw e;
    }
  }

  @Override
  public Map<String, NDArray> encode(NDManager owner, TextRequest request) {
    return request.perPrompt(
        owner, (to, prompts) -> encode(to, prompts, request.options().maxSequenceLength()));
  }

  private Map<String, NDArray> encode(NDManager owner, List<String> prompts, int tokens) {
    int clipTokens = clip.tokenizer().modelMaxLength().orElse(CLIP_TOKENS);
    return Map.of(
        EMBEDS, t5.encoder().encode(owner, t5.ids(owner, prompts, tokens)),
        POOLED, clip.encoder().pooled(owner, clip.ids(owner, prompts, clipTokens)));
  }

  @Override
  public long parameterBytes() {
    return clip.encoder().parameterBytes() + t5.encoder().parameterBytes();
  }

  @Override
  public void close() {
    t5.close();
    clip.close();
  }
}
