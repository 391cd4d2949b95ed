package io.xfuser.models.internal.text;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.xfuser.failure.ModelException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A vocabulary of byte pairs, CLIP's for example: ids of byte sequences, and which pairs are
 * merged, the first ones first.
 *
 * @param ids the id of each token
 * @param merges pairs of tokens
 * @param origin the file of the ids
 */
record ClipVocabulary(Map<String, Long> ids, ArrayNode merges, Path origin) {
  // of the published file transformers takes those that CLIP was trained with
  private static final int MOST_MERGES = 49152 - 256 - 2;

  /**
   * Reads CLIP's {@code vocab.json} and {@code merges.txt}, whose first line is a comment.
   *
   * @throws ModelException naming the file that is malformed, or a merge that gives no token
   */
  static ClipVocabulary read(Path vocabulary, Path merges) {
    return read(vocabulary, merges, MOST_MERGES);
  }

  /** The same with the first {@code most} merges. */
  static ClipVocabulary read(Path vocabulary, Path merges, int most) {
    Map<String, Long> ids = new LinkedHashMap<>();
    for (Map.Entry<String, JsonNode> entry : TokenizerFiles.read(vocabulary).properties()) {
      if (!entry.getValue().isIntegralNumber()) {
        throw new ModelException(
            "%s: the id of \"%s\" is %s, not a whole number"
                .formatted(vocabulary, entry.getKey(), entry.getValue()));
      }
      ids.put(entry.getKey(), entry.getValue().asLong());
    }
    ArrayNode pairs = JsonNodeFactory.instance.arrayNode();
    List<String> lines = PythonText.strip(TokenizerFiles.text(merges)).lines().toList();
    for (String line : lines.stream().skip(1).limit(most).toList()) {
      if (line.isBlank()) {
        continue;
      }
      String[] pair = line.strip().split("\\s+", -1);
      if (pair.length != 2
          || !ids.keySet().containsAll(List.of(pair[0], pair[1], pair[0] + pair[1]))) {
        throw new ModelException(
            "%s: \"%s\" merges no two tokens of %s to another"
                .formatted(merges, line, vocabulary.getFileName()));
      }
      pairs.addArray().add(pair[0]).add(pair[1]);
    }
    return new ClipVocabulary(ids, pairs, vocabulary);
  }
}
