package io.xfuser.models.text;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/** Subwords as a {@code tokenizer.json} describes them, by Hugging Face's tokenizers. */
final class TokenizerJsonSubwords implements Subwords {
  private final HuggingFaceTokenizer tokenizer;

  private TokenizerJsonSubwords(HuggingFaceTokenizer tokenizer) {
    this.tokenizer = tokenizer;
  }

  /** Opens {@code file}; throws IllegalArgumentException if it does not describe a tokenizer. */
  static TokenizerJsonSubwords open(Path file) {
    Map<String, String> options =
        Map.of("addSpecialTokens", "false", "truncation", "false", "padding", "false");
    try (InputStream json = Files.newInputStream(file)) {
      return new TokenizerJsonSubwords(HuggingFaceTokenizer.newInstance(json, options));
    } catch (IOException | RuntimeException e) {
      throw new IllegalArgumentException(
          file + " does not describe a tokenizer: " + e.getMessage(), e);
    }
  }

  @Override
  public long[] ids(String text) {
    return tokenizer.encode(text, false, false).getIds();
  }

  @Override
  public long idOf(String specialToken) {
    long[] ids = ids(specialToken);
    if (ids.length != 1) {
      throw new IllegalArgumentException("there is no token " + specialToken);
    }
    return ids[0];
  }

  @Override
  public boolean repeatsEnd() {
    return true;
  }

  @Override
  public void close() {
    tokenizer.close();
  }
}
