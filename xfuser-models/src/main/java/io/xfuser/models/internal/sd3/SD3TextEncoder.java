package io.xfuser.models.internal.sd3;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.model.PipelineComponents;
import io.xfuser.model.TextRequest;
import io.xfuser.models.internal.text.TextInput;
import io.xfuser.models.internal.text.TextOutput;
import io.xfuser.models.internal.text.TextTower;
import io.xfuser.models.internal.text.TextTowers;
import io.xfuser.torchscript.Torch;
import io.xfuser.weights.Share;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Inner states and pooled texts of two encoders side by side, and the states of a third after them.
 * A directory may have no third one, whose states are zeros then.
 */
final class SD3TextEncoder extends TextTowers {
  /** The name of the hidden states (B, T, text width). */
  static final String EMBEDS = "prompt_embeds";

  /** The name of the pooled texts (B, pooled width). */
  static final String POOLED = "pooled_prompt_embeds";

  private static final int STATE = -2; // the input of the last layer
  private static final int POOLED_TOKENS = 77; // where the first tokenizer's files do not say

  private final List<TextTower> pooling;
  private final Optional<TextTower> third;
  private final int width;

  /**
   * Opens the three, or the first two alone.
   *
   * @param width of the third's states, and of the zeros in their place
   */
  SD3TextEncoder(PipelineComponents components, int width, Share share) {
    super(components, share);
    this.width = width;
    pooling = Stream.of("", "_2").flatMap(name -> tower(name).stream()).toList();
    third = components.has("text_encoder_3") ? tower("_3") : Optional.empty();
  }

  @Override
  public Map<String, NDArray> encode(NDManager owner, TextRequest request) {
    return request.perPrompt(owner, this::encode);
  }

  private Map<String, NDArray> encode(NDManager owner, List<String> prompts, TextRequest request) {
    int tokens = request.options().maxSequenceLength();
    try (NDManager scope = owner.newSubManager()) {
      Optional<NDArray> states = // (B, T, text width)
          third.map(tower -> tower.states(scope, prompts, tokens, request.context()));
      List<TextOutput> pooled = // (B, 77, C1), (B, P1), (B, 77, C2), (B, P2)
          pooling.stream().map(tower -> pooled(scope, tower, prompts)).toList();
      if (pooled.size() < 2) {
        return Map.of(); // this rank helps with a share, and the first one has it all
      }
      TextOutput first = pooled.get(0);
      TextOutput second = pooled.get(1);
      NDArray after =
          states.orElseGet(() -> SD3.PROGRAM.call(scope, "no_text", first.hidden(), tokens, width));
      return Map.of(
          EMBEDS, // (B, 77 + T, text width)
          SD3.PROGRAM.call(owner, "join_texts", first.hidden(), second.hidden(), after),
          POOLED, // (B, P1 + P2)
          Torch.concat(owner, List.of(first.pooled(), second.pooled()), 1));
    }
  }

  private TextOutput pooled(NDManager owner, TextTower tower, List<String> prompts) {
    int tokens = pooling.get(0).limit(POOLED_TOKENS); // the first tokenizer's for both
    NDArray ids = tower.ids(owner, prompts, tokens);
    return tower.encoder().layer(owner, TextInput.of(ids), STATE);
  }
}
