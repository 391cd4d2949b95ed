package io.xfuser.models.internal.files;

import io.xfuser.models.internal.files.ModelFormat.TextSlot;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Where the tokenizer of a text encoder may lie if nobody says so. */
final class TokenizerPlaces {
  private static final List<String> FILES =
      List.of("tokenizer.json", "spiece.model", "merges.txt", "vocab.json");

  /** How folders of encoders are called in pipelines. */
  private static final String ENCODER = "text_encoder(_\\d)?";

  private TokenizerPlaces() {}

  /**
   * The folder of {@code slot}'s tokenizer: that of the encoder if it has a tokenizer's files too,
   * else one beside it, of the same number as the encoder's folder, which may be another
   * pipeline's, or of the tokenizer's name.
   *
   * @param place the encoder's folder or file, or the model's
   */
  static Optional<Path> beside(@Nullable Path place, TextSlot slot) {
    if (place == null) {
      return Optional.empty();
    }
    Path absolute = place.toAbsolutePath().normalize();
    Path folder = Files.isDirectory(absolute) ? absolute : absolute.resolveSibling("");
    String name = String.valueOf(folder.getFileName());
    if (!name.matches(ENCODER)) {
      Path beside = absolute.resolveSibling(slot.tokenizerName());
      return Stream.of(absolute, beside).filter(TokenizerPlaces::isTokenizer).findFirst();
    }
    Path numbered = folder.resolveSibling(name.replace("text_encoder", "tokenizer"));
    return Stream.of(folder, folder.resolve(slot.tokenizerName()), numbered)
        .filter(TokenizerPlaces::isTokenizer)
        .findFirst();
  }

  /** Whether a tokenizer's files are in {@code folder}. */
  static boolean isTokenizer(Path folder) {
    return FILES.stream().map(folder::resolve).anyMatch(Files::isRegularFile);
  }
}
