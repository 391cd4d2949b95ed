package io.xfuser.models.internal.sana;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.model.PipelineComponents;
import io.xfuser.model.TextEncoder.TextOptions;
import io.xfuser.model.TextRequest;
import io.xfuser.model.TextRequest.Texts;
import io.xfuser.models.internal.text.CaptionCleaner;
import io.xfuser.models.internal.text.TextTower;
import io.xfuser.models.internal.text.TextTowers;
import io.xfuser.models.internal.text.TokenIds;
import io.xfuser.torchscript.Torch;
import io.xfuser.weights.Share;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/**
 * A language model's states of the prompt behind an instruction, and of the negative prompt alone.
 * Of the former the first token and the last ones count, which are those of the prompt.
 */
final class SanaTextEncoder extends TextTowers {
  /** The name of the hidden states (B, S, text width). */
  static final String EMBEDS = "prompt_embeds";

  /** The name of the mask (B, S) int64, 1 where text is. */
  static final String MASK = "prompt_attention_mask";

  /** The default of diffusers' pipeline. */
  private static final List<String> INSTRUCTION =
      List.of(
          "Given a user prompt, generate an 'Enhanced prompt' that provides detailed "
              + "visual descriptions suitable for image generation. Evaluate the level of "
              + "detail in the user prompt:",
          "- If the prompt is simple, focus on adding specifics about colors, shapes, "
              + "sizes, textures, and spatial relationships to create vivid and concrete "
              + "scenes.",
          "- If the prompt is already detailed, refine and enhance the existing details "
              + "slightly without overcomplicating.",
          "Here are examples of how to transform or refine prompts:",
          "- User Prompt: A cat sleeping -> Enhanced: A small, fluffy white cat curled up"
              + " in a round shape, sleeping peacefully on a warm sunny windowsill, surrounded "
              + "by pots of blooming red flowers.",
          "- User Prompt: A busy city street -> Enhanced: A bustling city street scene at"
              + " dusk, featuring glowing street lamps, a diverse crowd of people in colorful "
              + "clothing, and a double-decker bus passing by towering glass skyscrapers.",
          "Please generate only the enhanced description for the prompt below and avoid "
              + "including any additional commentary or evaluations:",
          "User Prompt: ");

  private static final List<Integer> LAST = List.of(-1);

  private final Optional<TextTower> tower;

  SanaTextEncoder(PipelineComponents components, Share share) {
    super(components, share);
    tower = tower("");
  }

  @Override
  public Map<String, NDArray> encode(NDManager owner, TextRequest request) {
    return masksInTurn(
        owner,
        request,
        (to, texts, whole) ->
            tower
                .map(present -> Map.of(MASK, masks(to, present, texts, whole)))
                .orElseGet(Map::of));
  }

  @Override
  public Map<String, NDArray> encode(NDManager owner, Texts texts, TextRequest request) {
    return tower
        .map(present -> Map.of(EMBEDS, states(owner, present, texts, request)))
        .orElseGet(Map::of);
  }

  /**
   * Texts that are tokenized alike.
   *
   * @param length tokens that they are cut or padded to
   * @param second the place of the second token that counts, after the first one of all
   */
  private record Prepared(List<String> texts, int length, long second) {
    TokenIds tokens(TextTower tower) {
      return tower.tokenizer().encode(texts, length);
    }
  }

  /** Prompts, and negative ones if there are any. */
  private static List<Prepared> prepared(TextTower tower, Texts texts, TextOptions options) {
    List<String> all =
        texts.of(0).stream()
            .map(options.cleanCaption() ? CaptionCleaner::clean : CaptionCleaner::lowerCase)
            .toList();
    int length = options.maxSequenceLength();
    String before =
        String.join("\n", Objects.requireNonNullElse(options.instruction(), INSTRUCTION));
    List<Prepared> both = new ArrayList<>();
    List<String> prompts = all.subList(0, texts.positives());
    if (before.isEmpty()) {
      both.add(new Prepared(prompts, length, 1));
    } else {
      int bytes = before.getBytes(StandardCharsets.UTF_8).length;
      int tokens = tower.tokenizer().encode(List.of(before), bytes + 2).trimmed().length();
      List<String> whole = prompts.stream().map(before::concat).toList();
      both.add(new Prepared(whole, tokens + length - 2, tokens - 1L));
    }
    if (all.size() > texts.positives()) {
      List<String> negative = all.subList(texts.positives(), all.size());
      both.add(new Prepared(negative, length, 1));
    }
    return both;
  }

  private static NDArray states(
      NDManager owner, TextTower tower, Texts texts, TextRequest request) {
    int length = request.options().maxSequenceLength();
    // then a text's padding may be looked at in the place of another one's tokens
    boolean swapped = request.imagesPerPrompt() > 1 && request.prompts().positive().size() > 1;
    try (NDManager scope = owner.newSubManager()) {
      List<NDArray> parts = new ArrayList<>();
      for (Prepared prepared : prepared(tower, texts, request.options())) {
        List<NDArray> states =
            swapped
                ? tower.padded(scope, prepared.texts(), prepared.length(), LAST, request.context())
                : tower.inner(scope, prepared.tokens(tower).trimmed(), LAST, request.context());
        parts.add(Sana.PROGRAM.call(scope, "chosen", states.get(0), prepared.second(), length));
      }
      return Torch.concat(owner, parts, 0); // (B, S, text width)
    }
  }

  private static NDArray masks(NDManager owner, TextTower tower, Texts texts, TextRequest request) {
    int length = request.options().maxSequenceLength();
    try (NDManager scope = owner.newSubManager()) {
      List<NDArray> parts = new ArrayList<>();
      for (Prepared prepared : prepared(tower, texts, request.options())) {
        NDArray mask = prepared.tokens(tower).mask(scope);
        parts.add(Sana.PROGRAM.call(scope, "chosen", mask, prepared.second(), length));
      }
      return Torch.concat(owner, parts, 0); // (B, S)
    }
  }
}
