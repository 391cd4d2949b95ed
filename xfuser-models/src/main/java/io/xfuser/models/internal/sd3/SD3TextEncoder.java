package io.xfuser.models.internal.sd3;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.model.PipelineComponents;
import io.xfuser.model.TextRequest;
import io.xfuser.model.TextRequest.Texts;
import io.xfuser.models.internal.text.TextInput;
import io.xfuser.models.internal.text.TextOutput;
import io.xfuser.models.internal.text.TextTower;
import io.xfuser.models.internal.text.TextTowers;
import io.xfuser.torchscript.Torch;
import io.xfuser.weights.Share;
import java.util.ArrayList;
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

  /** Of which hidden state prompts are, where no layer is skipped: the input of the last one. */
  static final int STATE = -2;

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
  public Map<String, NDArray> encode(NDManager owner, Texts texts, TextRequest request) {
    int tokens = request.options().maxSequenceLength();
    try (NDManager scope = owner.newSubManager()) {
      Optional<NDArray> states = // (B, T, text width)
          third.map(tower -> tower.states(scope, texts.of(2), tokens, request));
      List<TextOutput> pooled = new ArrayList<>(); // (B, 77, C1), (B, P1), (B, 77, C2), (B, P2)
      for (int i = 0; i < pooling.size(); i++) {
        pooled.add(pooled(scope, i, texts, request));
      }
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

  /** Of prompts an earlier state where layers are skipped, of negative prompts always the same. */
  private TextOutput pooled(NDManager owner, int encoder, Texts all, TextRequest request) {
    TextTower tower = pooling.get(encoder);
    List<String> texts = all.of(encoder);
    int positives = all.positives();
    int tokens = pooling.get(0).limit(POOLED_TOKENS); // the first tokenizer's for both
    int skip = request.options().clipSkip();
    if (skip == 0 || positives == texts.size()) {
      return tower.layer(owner, tower.input(owner, texts, tokens, request), STATE - skip);
    }
    TextInput first = tower.input(owner, texts.subList(0, positives), tokens, request).in(1);
    TextInput last =
        tower.input(owner, texts.subList(positives, texts.size()), tokens, request).in(1);
    TextOutput prompts = tower.layer(owner, first, STATE - skip);
    TextOutput others = tower.layer(owner, last, STATE);
    return new TextOutput(
        Torch.concat(owner, List.of(prompts.pooled(), others.pooled()), 0),
        Torch.concat(owner, List.of(prompts.hidden(), others.hidden()), 0));
  }
}
