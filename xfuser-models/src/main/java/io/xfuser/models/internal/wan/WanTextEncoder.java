package io.xfuser.models.internal.wan;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.model.GivenTensors;
import io.xfuser.model.PipelineComponents;
import io.xfuser.model.TextRequest;
import io.xfuser.model.TextRequest.Texts;
import io.xfuser.models.internal.text.CaptionCleaner;
import io.xfuser.models.internal.text.ClipPictures;
import io.xfuser.models.internal.text.OneTower;
import io.xfuser.models.internal.text.TextTower;
import io.xfuser.models.internal.text.TokenIds;
import io.xfuser.torchscript.Torch;
import io.xfuser.weights.Share;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * An encoder's states of prompts, with zeros in the place of padding, and what pictures are seen
 * as.
 */
final class WanTextEncoder extends OneTower {
  /** The name of the hidden states (B, T, text width). */
  static final String EMBEDS = "prompt_embeds";

  /** The name of what pictures are seen as, (B, I, picture width). */
  static final String PICTURE = GivenTensors.EMBEDS;

  private final Optional<ClipPictures> eyes;

  WanTextEncoder(PipelineComponents components, Share share, boolean sees) {
    super(components, share);
    eyes = sees ? seenPictures() : Optional.empty();
  }

  /** What is padding of every text has no part in what others are, and is not encoded. */
  @Override
  protected Map<String, NDArray> encode(
      NDManager owner, TextTower tower, Texts texts, TextRequest request) {
    List<String> cleaned = texts.of(0).stream().map(CaptionCleaner::repaired).toList();
    int length = request.options().maxSequenceLength();
    TokenIds tokens = tower.tokenizer().encode(cleaned, length).trimmed();
    try (NDManager scope = owner.newSubManager()) {
      NDArray states = tower.states(scope, tokens, request); // (B, t, text width)
      NDArray mask = Torch.to(scope, tokens.mask(scope), states.getDevice());
      NDArray filled = Wan.PROGRAM.call(owner, "filled", states, mask, length);
      return eyes.isEmpty() || request.pictures().isEmpty()
          ? Map.of(EMBEDS, filled)
          : Map.of(
              EMBEDS,
              filled,
              PICTURE,
              eyes.get().states(owner, request.pictures(), cleaned.size()));
    }
  }
}
