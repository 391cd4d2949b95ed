package io.xfuser.models.internal.files;

import io.xfuser.models.internal.files.ModelFormat.TextSlot;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Where the tokenizer of a text encoder may lie if nobody says so. */
final class TokenizerPlaces {
  private static final List<String> FILES =
      List.of("tokenizer.json", "spiece.model", "merges.txt", "vocab.json");

  private TokenizerPlaces() {}

  /**
   * The folder of {@code slot}'s tokenizer: that of the encoder if it has a tokenizer's files too,
   * else one of the tokenizer's name beside the encoder.
   *
   * @param place the encoder's folder or file, or the model's
   */
  static Optional<Path> beside(@Nullable Path place, TextSlot slot) {
    if (place == null) {
      return Optional.empty();
    }
    Path absolute = place.toAbsolutePath().normalize();
    if (Files.isDirectory(absolute) && isTokenizer(absolute)) {
      return Optional.of(absolute);
    }
    Path sibling = absolute.resolveSibling(slot.tokenizerName());
    return isTokenizer(sibling) ? Optional.of(sibling) : Optional.empty();
  }

  /** Whether a tokenizer's files are in {@code folder}. */
  static boolean isTokenizer(Path folder) {
    return FILES.stream().map(folder::resolve).anyMatch(Files::isRegularFile);
  }
}
