package io.xfuser.models.internal.flux2;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.model.PipelineComponents;
import io.xfuser.model.TextRequest;
import io.xfuser.model.TextRequest.Texts;
import io.xfuser.models.internal.text.TextTower;
import io.xfuser.models.internal.text.TextTowers;
import io.xfuser.torchscript.Torch;
import io.xfuser.weights.Share;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A language model's states of the prompt as a user's message, of three layers side by side. They
 * look at no padding, but the transformer looks at the states of padding as at others.
 */
final class Flux2TextEncoder extends TextTowers {
  /** The name of the hidden states (B, T, text width). */
  static final String EMBEDS = "prompt_embeds";

  private final Flux2Variant variant;
  private final Optional<TextTower> tower;

  Flux2TextEncoder(PipelineComponents components, Share share, Flux2Variant variant) {
    super(components, share);
    this.variant = variant;
    tower = tower("");
  }

  @Override
  public Map<String, NDArray> encode(NDManager owner, Texts texts, TextRequest request) {
    if (tower.isEmpty()) {
      return Map.of();
    }
    List<String> messages = texts.of(0).stream().map(variant::message).toList();
    int tokens = request.options().maxSequenceLength();
    List<Integer> asked = request.options().outLayers();
    List<Integer> layers = asked.isEmpty() ? variant.layers() : asked;
    try (NDManager scope = owner.newSubManager()) {
      List<NDArray> states = // (B, T, text width / 3) each
          tower.get().padded(scope, messages, tokens, layers, request.context());
      return Map.of(EMBEDS, Torch.concat(owner, states, 2));
    }
  }
}
