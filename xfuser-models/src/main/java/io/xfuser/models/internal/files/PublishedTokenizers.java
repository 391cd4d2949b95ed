package io.xfuser.models.internal.files;

import com.fasterxml.jackson.databind.json.JsonMapper;
import io.xfuser.failure.ModelException;
import io.xfuser.internal.failure.Reason;
import io.xfuser.internal.failure.Retried;
import io.xfuser.models.internal.files.ModelFormat.TextSlot;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The vocabularies of CLIP, T5 and ByT5 as they were published, for encoders in files, which bring
 * none: all who made their encoders from these took their tokens too. They are written into a
 * folder of this process, where tokenizers look for files.
 */
final class PublishedTokenizers {
  private static final String SETTINGS = "tokenizer_config.json";
  private static final String END = "<|endoftext|>";
  private static final Retried<Path> FOLDERS = new Retried<>(PublishedTokenizers::written);

  /** ByT5, whose tokens are bytes: its first tokens, and as many as it has by itself. */
  private static final String BYTES = "byt5_small";

  private static final int BYTE_ROWS = 384;

  /** Rows of the embedding of an encoder that has the vocabulary, by what its slot is called. */
  private static final Map<String, Integer> ROWS =
      Map.of("clip_l", 49408, "clip_g", 49408, "t5xxl", 32128);

  private PublishedTokenizers() {}

  /**
   * The folder of the tokenizer of {@code slot}; empty where its encoder has other tokens.
   *
   * @param rows of the encoder's embedding
   */
  static Optional<Path> of(TextSlot slot, int rows) {
    boolean bytes = slot.infix().equals(BYTES) && rows >= BYTE_ROWS; // others may be added
    return bytes || Integer.valueOf(rows).equals(ROWS.get(slot.infix()))
        ? Optional.of(FOLDERS.get().resolve(slot.infix()))
        : Optional.empty();
  }

  private static Path written() {
    try {
      Path folders = Files.createTempDirectory("xfuser-tokenizers");
      folders.toFile().deleteOnExit();
      byte[] merges = resource("clip.merges");
      byte[] words = new JsonMapper().writeValueAsBytes(words(merges));
      for (String name : List.of("clip_l", "clip_g")) {
        String padding = name.equals("clip_g") ? "!" : END;
        String settings = "{\"model_max_length\": 77, \"pad_token\": \"%s\"}".formatted(padding);
        Path clip = folder(folders, name, settings);
        write(clip.resolve("merges.txt"), merges);
        write(clip.resolve("vocab.json"), words);
      }
      folder(folders, BYTES, "{\"tokenizer_class\": \"ByT5Tokenizer\"}");
      Path t5 = folder(folders, "t5xxl", "{\"model_max_length\": 512}");
      write(t5.resolve("spiece.model"), resource("t5.spiece"));
      return folders;
    } catch (IOException e) {
      throw new ModelException(
          "tokenizers cannot be written to %s, so they must be given: %s"
              .formatted(System.getProperty("java.io.tmpdir"), Reason.of(e)),
          e);
    }
  }

  private static Path folder(Path all, String name, String settings) throws IOException {
    Path folder = Files.createDirectory(all.resolve(name));
    folder.toFile().deleteOnExit();
    write(folder.resolve(SETTINGS), settings.getBytes(StandardCharsets.UTF_8));
    return folder;
  }

  private static void write(Path file, byte[] content) throws IOException {
    file.toFile().deleteOnExit();
    Files.write(file, content);
  }

  private static byte[] resource(String name) throws IOException {
    try (InputStream content = PublishedTokenizers.class.getResourceAsStream(name)) {
      if (content == null) {
        throw new IllegalStateException("no resource " + name);
      }
      return content.readAllBytes();
    }
  }

  /**
   * CLIP's tokens by their ids: bytes, bytes at the end of a word, what is merged, and the marks of
   * a text. Source: {@code clip/simple_tokenizer.py} of openai/CLIP.
   */
  private static Map<String, Integer> words(byte[] merges) {
    List<String> words = new ArrayList<>();
    for (int letter = 0; letter < 256; letter++) {
      if (isPrinted(letter)) {
        words.add(String.valueOf((char) letter));
      }
    }
    int shown = words.size();
    for (int other = 0; other < 256 - shown; other++) { // bytes that are no letters, in order
      words.add(String.valueOf((char) (256 + other)));
    }
    List.copyOf(words).forEach(letter -> words.add(letter + "</w>"));
    new String(merges, StandardCharsets.UTF_8)
        .lines()
        .skip(1) // a comment
        .forEach(pair -> words.add(pair.replace(" ", "")));
    words.add("<|startoftext|>");
    words.add(END);
    Map<String, Integer> ids = new LinkedHashMap<>();
    words.forEach(word -> ids.put(word, ids.size()));
    return ids;
  }

  private static boolean isPrinted(int letter) {
    return (letter >= '!' && letter <= '~')
        || (letter >= 0xA1 && letter <= 0xAC)
        || (letter >= 0xAE && letter <= 0xFF);
  }
}
