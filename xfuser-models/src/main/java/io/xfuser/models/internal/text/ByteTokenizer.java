package io.xfuser.models.internal.text;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.LongStream;

/**
 * The tokenizer of ByT5, which takes a text's bytes in UTF-8 as they are: transformers' {@code
 * ByT5Tokenizer}. A text is followed by {@code </s>}. It has no vocabulary, and added tokens alone.
 *
 * <p>Safe for use by several threads.
 */
final class ByteTokenizer extends SubwordTokenizer {
  private static final SpecialTokens SPECIAL =
      new SpecialTokens(
          Map.of("eos", "</s>", "unk", "<unk>", "pad", "<pad>"), List.of(), List.of("eos"));

  private static final List<String> FIRST = List.of("pad", "eos", "unk"); // ids 0, 1, 2
  private static final String ADDITIONAL = "additional_special_tokens";
  private static final int BYTES = 256;
  private static final int SENTINELS = 125;

  private ByteTokenizer(Path directory, JsonNode settings) {
    super(
        new Definition(directory, settings, SPECIAL), () -> new Bytes(added(completed(settings))));
  }

  /** The settings with what transformers' class puts in the place of what they leave out. */
  private static ObjectNode completed(JsonNode given) {
    ObjectNode settings = given.deepCopy();
    for (String role : FIRST) {
      String name = role + "_token";
      if (!settings.path(name).isObject()) { // these take the white space beside them
        String content = SPECIAL.token(given, role);
        settings.putObject(name).put("content", content).put("lstrip", true).put("rstrip", true);
      }
    }
    if (!settings.path(ADDITIONAL).isArray()) {
      ArrayNode sentinels = settings.putArray(ADDITIONAL);
      IntStream.range(0, settings.path("extra_ids").asInt(SENTINELS))
          .forEach(i -> sentinels.add("<extra_id_" + i + ">"));
    }
    return settings;
  }

  /** The tokens that come to the bytes. */
  private static AddedTokens added(JsonNode settings) {
    Map<String, Long> vocabulary = new HashMap<>();
    for (String role : FIRST) {
      vocabulary.put(SPECIAL.token(settings, role), (long) vocabulary.size());
    }
    for (int value = 0; value < BYTES; value++) {
      vocabulary.put(String.valueOf((char) value), (long) FIRST.size() + value);
    }
    return AddedTokens.of(settings, vocabulary, SPECIAL);
  }

  /** The bytes of what lies between tokens. */
  private record Bytes(AddedTokens added) implements Subwords {
    @Override
    public long[] ids(String text) {
      return added.ids(added.split(text), Bytes::plain);
    }

    private static LongStream plain(String part) {
      byte[] bytes = part.getBytes(StandardCharsets.UTF_8);
      return IntStream.range(0, bytes.length)
          .mapToLong(i -> Byte.toUnsignedLong(bytes[i]) + FIRST.size());
    }

    @Override
    public long idOf(String specialToken) {
      return added.id(specialToken);
    }

    @Override
    public boolean repeatsEnd() {
      return false;
    }

    @Override
    public void close() {
      // holds no more than Java's memory
    }
  }

  /** Opens it for ByT5. */
  public static final class Provider implements TokenizerProvider {
    @Override
    public Set<String> classNames() {
      return Set.of("ByT5Tokenizer");
    }

    @Override
    public Set<String> encoders() {
      return Set.of("T5EncoderModel");
    }

    @Override
    public void check(Path directory, String className) {
      SubwordTokenizer.checkSides(directory, TokenizerFiles.settings(directory));
    }

    @Override
    public Tokenizer open(Path directory, String className) {
      return new ByteTokenizer(directory, TokenizerFiles.settings(directory));
    }
  }
}
