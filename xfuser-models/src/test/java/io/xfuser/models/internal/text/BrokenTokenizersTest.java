package io.xfuser.models.internal.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.xfuser.failure.ModelException;
import io.xfuser.models.contract.CoveringArray;
import io.xfuser.models.contract.DirectoryCopy;
import io.xfuser.models.internal.files.OneFile;
import io.xfuser.testing.Mutations;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Random;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A broken file of a tokenizer is refused in a sentence, or read: nothing else happens. */
class BrokenTokenizersTest {
  private static final int MUTATIONS = CoveringArray.ALL ? 200 : 50; // of each of nine files
  private static final int TABLES =
      CoveringArray.ALL ? 60 : 15; // each opened one encodes all characters of the plane
  private static final int SETTINGS = 4; // a broken file in so many is that of settings
  private static final Duration MOST = Duration.ofSeconds(300);
  private static final String T5 = "flux_dev_tiny/tokenizer_2";
  private static final Pattern TABLE = Pattern.compile("\"precompiled_charsmap\": *\"([^\"]*)\"");
  private static final List<String> TEXTS = List.of("A red fox, 2 boats \u00e9\ud83e\udd8a", "");

  @TempDir Path files;

  @ParameterizedTest
  @CsvSource({
    "cogvideox_tiny/tokenizer, spiece.model, T5Tokenizer",
    "flux_dev_tiny/tokenizer_2, tokenizer.json, T5TokenizerFast",
    "flux_dev_tiny/tokenizer, merges.txt, CLIPTokenizer",
    "flux_dev_tiny/tokenizer, vocab.json, CLIPTokenizer",
    "hunyuandit_tiny/tokenizer, vocab.txt, BertTokenizer",
    "zimage_tiny/tokenizer, tokenizer.json, Qwen2TokenizerFast",
    "zimage_tiny/tokenizer, vocab.json, Qwen2Tokenizer",
    "sana_tiny/tokenizer, tokenizer.json, GemmaTokenizerFast",
    "flux2_tiny/tokenizer, tokenizer.json, PixtralProcessor"
  })
  void aBrokenFileIsRefusedInASentenceOrRead(String folder, String file, String className)
      throws IOException {
    Path directory = DirectoryCopy.of(OneFile.directory(folder), files).directory();
    Path vocabulary = directory.resolve(file);
    Path settings = directory.resolve("tokenizer_config.json");
    byte[] words = Files.readAllBytes(vocabulary);
    byte[] said = Files.readAllBytes(settings);
    Mutations ofWords = new Mutations(words, words.length, 7400);
    Mutations ofSettings = new Mutations(said, said.length, 7401);
    int refused =
        Assertions.assertTimeoutPreemptively(
            MOST,
            () -> {
              int count = 0;
              for (int i = 0; i < MUTATIONS; i++) {
                boolean told = i % SETTINGS == 0;
                Files.write(vocabulary, told ? words : ofWords.next());
                Files.write(settings, told ? ofSettings.next() : said);
                count += isRefused(directory, className) ? 1 : 0;
              }
              return count;
            });
    assertThat(refused).isBetween(1, MUTATIONS - 1);
  }

  /** Where the native library would end the process. */
  @ParameterizedTest
  @ValueSource(strings = {"null", "7", "'?'", "'AA=='", "'/////w=='", "'BAAAAAAAAAA='"})
  void aTableOfCharactersThatIsNoneIsRefused(String table) throws IOException {
    Path json = described();
    String text = Files.readString(json);
    Matcher found = TABLE.matcher(text);
    assertThat(found.find()).isTrue();
    String none = text.substring(0, found.start(1) - 1) + table.replace('\'', '"');
    Files.writeString(json, none + text.substring(found.end(1) + 1));
    assertThatThrownBy(() -> TokenizerJsonSubwords.open(json))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("precompiled_charsmap");
  }

  @Test
  void aDamagedTableOfCharactersIsRefusedOrLeadsNoTextOutOfIt() throws IOException {
    Path json = described();
    String text = Files.readString(json);
    Matcher found = TABLE.matcher(text);
    assertThat(found.find()).isTrue();
    byte[] table = Base64.getDecoder().decode(found.group(1));
    Random random = new Random(7402);
    int refused = 0;
    for (int i = 0; i < TABLES; i++) {
      byte[] damaged = table.clone();
      for (int flips = random.nextInt(1, 9); flips > 0; flips--) {
        damaged[random.nextInt(damaged.length)] ^= (byte) (1 << random.nextInt(Byte.SIZE));
      }
      String base64 = Base64.getEncoder().encodeToString(damaged);
      Files.writeString(
          json, text.substring(0, found.start(1)) + base64 + text.substring(found.end(1)));
      refused += isOpenedFor(json) ? 0 : 1;
    }
    assertThat(refused).isBetween(TABLES / 10, TABLES - 1);
  }

  /** Encodes every character but surrogates where the file can be opened. */
  private static boolean isOpenedFor(Path json) {
    try (Subwords words = TokenizerJsonSubwords.open(json)) {
      for (int start = 1; start < Character.MAX_VALUE; start += 800) {
        int end = Math.min(start + 800, Character.MAX_VALUE);
        words.ids(
            IntStream.range(start, end)
                .filter(c -> !Character.isSurrogate((char) c))
                .mapToObj(Character::toString)
                .collect(Collectors.joining()));
      }
      return true;
    } catch (ModelException e) {
      assertThat(e).hasMessageContaining("precompiled_charsmap");
      return false;
    }
  }

  /** Several settings of one kind are merged: the last table counts, and each is looked at. */
  @Test
  void everyTableOfASentencePieceModelIsLookedAt() throws IOException {
    byte[] model =
        Files.readAllBytes(OneFile.directory("cogvideox_tiny/tokenizer").resolve("spiece.model"));
    SentencePieceModel once = SentencePieceModel.parse(model);
    assertThat(once.characterMap()).isNotEmpty();
    byte[] settings = {0x1a, 2, 0x18, 0}; // normalizer_spec { add_dummy_prefix: false }
    assertThat(SentencePieceModel.parse(joined(model, settings))).isEqualTo(once);
    byte[] broken = {0x1a, 3, 0x12, 1, 7}; // normalizer_spec { precompiled_charsmap: "\7" }
    for (byte[] both : List.of(joined(model, broken), joined(broken, model))) {
      assertThatThrownBy(() -> SentencePieceModel.parse(both)).isInstanceOf(ModelException.class);
    }
  }

  private static byte[] joined(byte[] first, byte[] last) {
    byte[] both = Arrays.copyOf(first, first.length + last.length);
    System.arraycopy(last, 0, both, first.length, last.length);
    return both;
  }

  private Path described() throws IOException {
    Path folder = DirectoryCopy.of(OneFile.directory(T5), files).directory();
    return folder.resolve("tokenizer.json");
  }

  private static boolean isRefused(Path directory, String className) {
    try (Tokenizer tokenizer = Tokenizers.open(directory, className)) {
      tokenizer.encode(TEXTS, 20);
      return false;
    } catch (ModelException e) {
      assertThat(e.getMessage()).doesNotContain("\n").hasSizeLessThan(2000);
      return true;
    }
  }
}
