package io.xfuser.models.internal.qwenimage;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.internal.picture.Bitmap;
import io.xfuser.model.PipelineComponents;
import io.xfuser.model.TextRequest;
import io.xfuser.model.TextRequest.Texts;
import io.xfuser.models.internal.text.ReadPictures;
import io.xfuser.models.internal.text.TextTower;
import io.xfuser.models.internal.text.TextTowers;
import io.xfuser.models.internal.text.TokenIds;
import io.xfuser.weights.Share;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * A language model's last states of the prompt, and of pictures, within an instruction, which is
 * dropped. Prompts are filled up with zeros to the longest of the request, and these are attended
 * as text is; negative ones likewise, by themselves. A mask tells what fills up the shorter of the
 * two kinds.
 */
final class QwenImageTextEncoder extends TextTowers {
  /** The name of the hidden states (B, T, text width). */
  static final String EMBEDS = "prompt_embeds";

  /** The name of the mask (B, T) int64, 0 where nobody attends. */
  static final String MASK = "prompt_embeds_mask";

  private final QwenImageTask task;
  private final Optional<TextTower> tower;
  private final Optional<ReadPictures> reader;

  QwenImageTextEncoder(PipelineComponents components, Share share, QwenImageTask task) {
    super(components, share);
    this.task = task;
    tower = tower("");
    reader = task.edits() ? Optional.of(pictures()) : Optional.empty();
  }

  @Override
  public Map<String, NDArray> encode(NDManager owner, Texts texts, TextRequest request) {
    return tower.map(present -> encode(owner, present, texts, request)).orElseGet(Map::of);
  }

  private Map<String, NDArray> encode(
      NDManager owner, TextTower model, Texts texts, TextRequest request) {
    List<Bitmap> pictures =
        reader.stream().flatMap(it -> request.pictures().stream().map(it::fitted)).toList();
    Tokens tokens = new Tokens(model, pictures, request.options().maxSequenceLength());
    int positive = tokens.longest(request.prompts().positive());
    int negative = tokens.longest(request.prompts().negative());
    TokenIds all = tokens.of(texts.of(0));
    try (NDManager scope = owner.newSubManager()) {
      ReadPictures.Text text =
          reader
              .map(it -> it.read(scope, all, pictures))
              .orElseGet(() -> new ReadPictures.Text(all));
      NDArray states = model.inner(scope, text, List.of(-1), request.context()).get(0);
      NDArray embeds =
          QwenImage.PROGRAM.call(
              owner,
              "without_template",
              states,
              all.mask(scope),
              task.dropped(),
              Math.max(positive, negative));
      return Map.of(EMBEDS, embeds, MASK, attended(texts, positive, negative).mask(owner));
    }
  }

  /** Messages about {@code pictures} as tokens. */
  private final class Tokens {
    private final TextTower model;
    private final List<String> pictures;
    private final int longest;

    Tokens(TextTower model, List<Bitmap> pictures, int longest) {
      this.model = model;
      this.pictures = reader.stream().flatMap(it -> pictures.stream().map(it::tokens)).toList();
      this.longest = longest;
    }

    /** Messages with pictures are not cut, as in diffusers; none has more tokens than bytes. */
    TokenIds of(List<String> prompts) {
      List<String> messages =
          prompts.stream().map(prompt -> task.message(prompt, pictures)).toList();
      int bytes =
          messages.stream()
              .mapToInt(message -> message.getBytes(StandardCharsets.UTF_8).length)
              .max()
              .orElse(0);
      int most = task.edits() ? bytes : task.dropped() + longest;
      return model.tokenizer().encode(messages, most).trimmed();
    }

    /** Those of the longest of {@code prompts}, behind the instruction. */
    int longest(List<String> prompts) {
      return prompts.isEmpty() ? 0 : of(prompts).length() - task.dropped();
    }
  }

  private static TokenIds attended(Texts texts, int positive, int negative) {
    int negatives = texts.of(0).size() - texts.positives();
    List<long[]> rows =
        Stream.concat(
                Collections.nCopies(texts.positives(), new long[positive]).stream(),
                Collections.nCopies(negatives, new long[negative]).stream())
            .toList();
    return TokenIds.pad(rows, Math.max(positive, negative), 0);
  }
}
