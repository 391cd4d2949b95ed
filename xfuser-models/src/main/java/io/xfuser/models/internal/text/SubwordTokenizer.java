package io.xfuser.models.internal.text;

import com.fasterxml.jackson.databind.JsonNode;
import io.xfuser.failure.ArgumentException;
import io.xfuser.failure.ModelException;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalInt;
import java.util.function.Supplier;
import java.util.stream.LongStream;

/** Subwords with the tokens that mark the start and the end of a text, cut and padded. */
abstract class SubwordTokenizer implements Tokenizer {
  private final Subwords subwords;
  private final long[] start;
  private final long[] end;
  private final long padding;
  private final OptionalInt modelMaxLength;

  /** What a tokenizer is made of. */
  record Definition(Path directory, JsonNode settings, SpecialTokens special) {}

  /** Takes over the subwords of {@code source}; closes them if a special token is missing. */
  SubwordTokenizer(Definition parts, Supplier<Subwords> source) {
    checkSides(parts.directory(), parts.settings());
    double longest = parts.settings().path("model_max_length").asDouble(0);
    modelMaxLength =
        longest >= 1 && longest < Integer.MAX_VALUE
            ? OptionalInt.of((int) longest)
            : OptionalInt.empty();
    subwords = source.get();
    try {
      start = ids(parts, parts.special().start());
      end = ids(parts, parts.special().end());
      padding = ids(parts, List.of("pad"))[0];
    } catch (RuntimeException e) {
      subwords.close();
      throw new ModelException(parts.directory() + ": " + e.getMessage(), e);
    }
  }

  /** Refuses other sides than the right one, which is what the pipelines ask for. */
  static void checkSides(Path directory, JsonNode settings) {
    for (String side : List.of("padding_side", "truncation_side")) {
      String value = settings.path(side).asText("right");
      if (!value.equals("right")) {
        throw new ModelException(
            "%s: %s \"%s\" is not supported, only \"right\"".formatted(directory, side, value));
      }
    }
  }

  private long[] ids(Definition parts, List<String> roles) {
    return roles.stream()
        .mapToLong(role -> subwords.idOf(parts.special().token(parts.settings(), role)))
        .toArray();
  }

  @Override
  public TokenIds encode(List<String> texts, int maxLength) {
    int marks = start.length + end.length;
    if (maxLength < marks) {
      throw new ArgumentException(
          "at least %d tokens are needed, got %d".formatted(marks, maxLength));
    }
    List<long[]> ids = texts.stream().map(text -> encode(text, maxLength - marks)).toList();
    return TokenIds.pad(ids, maxLength, padding);
  }

  private long[] encode(String text, int limit) {
    long[] ids = subwords.ids(text);
    int length = Math.min(ids.length, limit);
    boolean ended =
        length > 0 && end.length > 0 && !subwords.repeatsEnd() && ids[length - 1] == end[0];
    return LongStream.concat(
            LongStream.of(start),
            LongStream.concat(
                LongStream.of(ids).limit(length), LongStream.of(ended ? new long[0] : end)))
        .toArray();
  }

  @Override
  public OptionalInt modelMaxLength() {
    return modelMaxLength;
  }

  @Override
  public void close() {
    subwords.close();
  }
}
