package io.xfuser.models.addition;

import io.xfuser.models.internal.text.TokenIds;
import io.xfuser.models.internal.text.Tokenizer;
import io.xfuser.models.internal.text.TokenizerProvider;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;

/** A number for each word: its length. */
final class AddedTokenizer implements Tokenizer {
  @Override
  public TokenIds encode(List<String> texts, int maxLength) {
    List<long[]> lengths =
        texts.stream()
            .map(text -> Arrays.stream(text.split(" ")).mapToLong(String::length).toArray())
            .toList();
    return TokenIds.pad(lengths, maxLength, 0);
  }

  @Override
  public OptionalInt modelMaxLength() {
    return OptionalInt.empty();
  }

  @Override
  public void close() {
    // holds nothing
  }

  /** Opens it. */
  public static final class Provider implements TokenizerProvider {
    @Override
    public Set<String> classNames() {
      return Set.of("AddedTokenizer");
    }

    @Override
    public Set<String> encoders() {
      return Set.of("AddedTextModel");
    }

    @Override
    public void check(Path directory, String className) {
      // needs no file
    }

    @Override
    public Tokenizer open(Path directory, String className) {
      return new AddedTokenizer();
    }
  }
}
