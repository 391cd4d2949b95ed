package io.xfuser.models.internal.text;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import com.fasterxml.jackson.databind.JsonNode;
import io.xfuser.failure.ModelException;
import io.xfuser.internal.failure.Reason;
import io.xfuser.internal.natives.NativeLibrary;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/** Subwords as a {@code tokenizer.json} describes them, by Hugging Face's tokenizers. */
final class TokenizerJsonSubwords implements Subwords {
  private final HuggingFaceTokenizer tokenizer;

  private TokenizerJsonSubwords(HuggingFaceTokenizer tokenizer) {
    this.tokenizer = tokenizer;
  }

  /** Opens {@code file}; throws ModelException if it does not describe a tokenizer. */
  static TokenizerJsonSubwords open(Path file) {
    try {
      byte[] json = Files.readAllBytes(file);
      TokenizerJsonCheck.require(json, file);
      return read(json, file);
    } catch (IOException e) {
      throw new ModelException(file + " cannot be read: " + Reason.of(e), e);
    }
  }

  /** What {@code description} describes, made of parts of {@code origin} that were checked. */
  static TokenizerJsonSubwords of(JsonNode description, Path origin) {
    return read(description.toString().getBytes(StandardCharsets.UTF_8), origin);
  }

  private static TokenizerJsonSubwords read(byte[] json, Path origin) {
    Map<String, String> options =
        Map.of("addSpecialTokens", "false", "truncation", "false", "padding", "false");
    NativeLibrary.TOKENIZERS.prepare(HuggingFaceTokenizer.class);
    try {
      return new TokenizerJsonSubwords(
          HuggingFaceTokenizer.newInstance(new ByteArrayInputStream(json), options));
    } catch (IOException | RuntimeException e) {
      throw new ModelException(origin + " does not describe a tokenizer: " + e.getMessage(), e);
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
      throw new ModelException("there is no token " + specialToken);
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
