package io.xfuser.models.text;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/**
 * The tokenizer of T5 models, with the ids of transformers: {@code T5Tokenizer} for a directory
 * with {@code spiece.model}, {@code T5TokenizerFast} for one with {@code tokenizer.json} only.
 *
 * <p>Safe for use by several threads.
 */
public final class T5Tokenizer implements AutoCloseable {
  private final Subwords subwords;
  private final long end;
  private final long padding;

  private T5Tokenizer(Subwords subwords, JsonNode settings) {
    this.subwords = subwords;
    this.end = subwords.idOf(TokenizerFiles.content(settings.path("eos_token"), "</s>"));
    this.padding = subwords.idOf(TokenizerFiles.content(settings.path("pad_token"), "<pad>"));
  }

  /**
   * Opens the {@code tokenizer} directory of a diffusers pipeline.
   *
   * @throws IllegalArgumentException if it has neither of the two files, or one cannot be used
   */
  public static T5Tokenizer open(Path directory) {
    JsonNode settings = TokenizerFiles.settings(directory);
    Path pieces = directory.resolve("spiece.model");
    Path json = directory.resolve("tokenizer.json");
    if (!Files.exists(pieces) && !Files.exists(json)) {
      throw new IllegalArgumentException(directory + " has no spiece.model and no tokenizer.json");
    }
    Subwords subwords =
        Files.exists(pieces)
            ? SentencePieceSubwords.open(pieces, settings)
            : TokenizerJsonSubwords.open(json);
    try {
      return new T5Tokenizer(subwords, settings);
    } catch (IllegalArgumentException e) {
      subwords.close();
      throw new IllegalArgumentException(directory + ": " + e.getMessage(), e);
    }
  }

  /**
   * The ids of each text with {@code </s>} at its end, padded to {@code maxLength}; of a longer
   * text the first {@code maxLength - 1} tokens and {@code </s>}.
   */
  public TokenIds encode(List<String> texts, int maxLength) {
    if (maxLength < 1) {
      throw new IllegalArgumentException("at least one token is needed, got " + maxLength);
    }
    List<long[]> ids = texts.stream().map(text -> encode(text, maxLength)).toList();
    return TokenIds.pad(ids, maxLength, padding);
  }

  private long[] encode(String text, int maxLength) {
    long[] ids = subwords.ids(text);
    int length = Math.min(ids.length, maxLength - 1);
    boolean ended = length > 0 && ids[length - 1] == end && !subwords.repeatsEnd();
    long[] sequence = Arrays.copyOf(ids, ended ? length : length + 1);
    sequence[sequence.length - 1] = end;
    return sequence;
  }

  @Override
  public void close() {
    subwords.close();
  }
}
