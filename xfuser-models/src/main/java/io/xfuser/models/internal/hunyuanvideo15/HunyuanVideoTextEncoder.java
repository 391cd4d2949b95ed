package io.xfuser.models.internal.hunyuanvideo15;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.model.PipelineComponents;
import io.xfuser.model.TextRequest;
import io.xfuser.model.TextRequest.Texts;
import io.xfuser.models.internal.text.TextTower;
import io.xfuser.models.internal.text.TextTowers;
import io.xfuser.models.internal.text.TokenIds;
import io.xfuser.torchscript.Torch;
import io.xfuser.weights.Share;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/**
 * A language model's states of prompts within an instruction, which is dropped, before its last two
 * layers; and an encoder's states of the bytes of quoted texts. What is padding of every text is
 * left out.
 */
final class HunyuanVideoTextEncoder extends TextTowers {
  /** The name of the language model's states (B, T, text width). */
  static final String EMBEDS = "prompt_embeds";

  /** The name of their mask (B, T) int64, 1 where text is. */
  static final String MASK = "prompt_embeds_mask";

  /** The name of the states of quoted texts (B, G, glyph width); zeros where there is none. */
  static final String GLYPHS = "prompt_embeds_2";

  /** The name of their mask (B, G) int64. */
  static final String GLYPH_MASK = "prompt_embeds_mask_2";

  /** Of the language model; of a prompt with what follows it. */
  private static final int LONGEST = 1000;

  private static final int LONGEST_GLYPHS = 256;
  private static final int DROPPED = 108;
  private static final int LAYER = -3;

  private static final String INSTRUCTION =
      String.join(
          " ".repeat(9),
          "You are a helpful assistant. Describe the video by detailing the following aspects:",
          "1. The main content and theme of the video.",
          "2. The color, shape, size, texture, quantity, text, and spatial relationships of the"
              + " objects.",
          "3. Actions, events, behaviors temporal relationships, physical movement changes of the"
              + " objects.",
          "4. background environment, light, style and atmosphere.",
          "5. camera angles, movements, and transitions used in the video.");

  private final Optional<TextTower> model;
  private final Optional<TextTower> bytes;
  private final int glyphWidth;

  /**
   * Opens both.
   *
   * @param glyphWidth of the second one's states, and of zeros in their place
   */
  HunyuanVideoTextEncoder(PipelineComponents components, int glyphWidth, Share share) {
    super(components, share);
    this.glyphWidth = glyphWidth;
    model = tower("");
    bytes = tower("_2");
  }

  @Override
  public Map<String, NDArray> encode(NDManager owner, Texts texts, TextRequest request) {
    List<Optional<String>> quoted = texts.of(0).stream().map(GlyphTexts::of).toList();
    Map<String, NDArray> all = new HashMap<>();
    model.ifPresent(tower -> all.putAll(prompts(owner, tower, texts.of(0), request)));
    if (quoted.stream().anyMatch(Optional::isPresent)) {
      bytes.ifPresent(tower -> all.putAll(glyphs(owner, tower, quoted, request)));
    } else if (model.isPresent()) {
      NDArray like = Objects.requireNonNull(all.get(EMBEDS));
      all.put(GLYPHS, HunyuanVideo.PROGRAM.call(owner, "no_glyphs", like, glyphWidth));
      all.put(
          GLYPH_MASK,
          TokenIds.pad(quoted.stream().map(it -> new long[0]).toList(), 1, 0).mask(owner));
    }
    return all;
  }

  private static Map<String, NDArray> prompts(
      NDManager owner, TextTower tower, List<String> prompts, TextRequest request) {
    List<String> messages = prompts.stream().map(HunyuanVideoTextEncoder::message).toList();
    TokenIds tokens = tower.tokenizer().encode(messages, DROPPED + LONGEST).trimmed();
    try (NDManager scope = owner.newSubManager()) {
      NDArray states = tower.inner(scope, tokens, List.of(LAYER), request.context()).get(0);
      long end = tokens.length();
      return Map.of(
          EMBEDS, Torch.contiguous(owner, Torch.slice(scope, states, 1, DROPPED, end)),
          MASK, Torch.contiguous(owner, Torch.slice(scope, tokens.mask(scope), 1, DROPPED, end)));
    }
  }

  private static String message(String prompt) {
    return "<|im_start|>system\n%s<|im_end|>\n<|im_start|>user\n%s<|im_end|>\n<|im_start|>assistant\n"
        .formatted(INSTRUCTION, prompt.isEmpty() ? " " : prompt);
  }

  /** A prompt without quoted texts has zeros, which nobody attends. */
  private static Map<String, NDArray> glyphs(
      NDManager owner, TextTower tower, List<Optional<String>> quoted, TextRequest request) {
    List<String> some = quoted.stream().flatMap(Optional::stream).toList();
    long[] rows = new long[quoted.size()]; // of those of some, behind one of zeros
    int next = 1;
    for (int i = 0; i < rows.length; i++) {
      rows[i] = quoted.get(i).isPresent() ? next++ : 0;
    }
    TokenIds tokens = tower.tokenizer().encode(some, LONGEST_GLYPHS).trimmed();
    try (NDManager scope = owner.newSubManager()) {
      NDArray states = tower.states(scope, tokens, request); // (b, G, glyph width)
      return Map.of(
          GLYPHS, HunyuanVideo.PROGRAM.call(owner, "placed", states, rows),
          GLYPH_MASK, HunyuanVideo.PROGRAM.call(owner, "placed", tokens.mask(scope), rows));
    }
  }
}
