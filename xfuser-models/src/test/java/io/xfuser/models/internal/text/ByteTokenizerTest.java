package io.xfuser.models.internal.text;

import static org.assertj.core.api.Assertions.assertThat;

import io.xfuser.models.contract.Requests;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Ids of transformers' {@code ByT5Tokenizer}. */
class ByteTokenizerTest {
  private static final Path DIRECTORY =
      Requests.directory("hunyuanvideo15_tiny").resolve("tokenizer_2");

  @Test
  void bytesAndAddedTokensHaveTransformersIds() {
    try (Tokenizer tokenizer = Tokenizers.open(DIRECTORY, "ByT5Tokenizer")) {
      assertThat(ids(tokenizer, "\"<color-1>Café </s> now\""))
          .containsExactly(37, 385, 70, 100, 105, 198, 172, 1, 113, 114, 122, 37, 1);
      assertThat(ids(tokenizer, "a </s> b")).containsExactly(100, 1, 101, 1);
      assertThat(ids(tokenizer, "x</s>")).containsExactly(123, 1);
      assertThat(ids(tokenizer, "<extra_id_3> <en-font-2>é"))
          .containsExactly(262, 35, 389, 198, 172, 1);
      assertThat(ids(tokenizer, "<pad> q")).containsExactly(0, 116, 1);
      assertThat(tokenizer.encode(List.of("abcd"), 3).ids()[0]).containsExactly(100, 101, 1);
    }
  }

  @Test
  void withoutSettingsItHasTheUsualTokens(@TempDir Path empty) {
    try (Tokenizer tokenizer = Tokenizers.open(empty, "ByT5Tokenizer")) {
      assertThat(ids(tokenizer, "a </s> b")).containsExactly(100, 1, 101, 1);
      assertThat(ids(tokenizer, "<extra_id_3>")).containsExactly(262, 1);
      assertThat(ids(tokenizer, "<color-1>")).hasSize(10);
    }
  }

  private static long[] ids(Tokenizer tokenizer, String text) {
    return tokenizer.encode(List.of(text), 100).trimmed().ids()[0];
  }
}
