package io.xfuser.internal.weights;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.xfuser.failure.ModelException;
import io.xfuser.internal.failure.Reason;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/** The list that says which of several files holds which tensor. */
public final class ShardIndex {
  private static final JsonMapper JSON =
      JsonMapper.builder().enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION).build();

  private ShardIndex() {}

  /** The file of every tensor; all of them exist. */
  public static Map<String, Path> read(Path index) {
    Map<String, Path> shardOf = new LinkedHashMap<>();
    for (Map.Entry<String, JsonNode> field : weightMap(index).properties()) {
      requireInside(index, field.getValue());
      Path shard = index.resolveSibling(field.getValue().asText());
      if (!Files.isRegularFile(shard)) {
        throw new ModelException(
            "%s says that tensor \"%s\" is in %s, which does not exist"
                .formatted(index, field.getKey(), field.getValue()));
      }
      shardOf.put(field.getKey(), shard);
    }
    return shardOf;
  }

  /** The names of all files, whether they exist or not. */
  public static Set<String> fileNames(Path index) {
    Set<String> names = new TreeSet<>();
    for (JsonNode name : weightMap(index)) {
      requireInside(index, name);
      names.add(name.asText());
    }
    return names;
  }

  /** An index may be anybody's: it leads to files beside it or below, not elsewhere. */
  private static void requireInside(Path index, JsonNode name) {
    if (!name.isTextual() || !FileName.isInside(name.asText())) {
      throw new ModelException(
          "%s names the file %s, which is none in its folder"
              .formatted(index, FileName.shown(name.toString())));
    }
  }

  private static JsonNode weightMap(Path index) {
    try {
      JsonNode map = JSON.readTree(Files.readAllBytes(index)).path("weight_map");
      if (!map.isObject()) {
        throw new ModelException(index + " has no weight_map");
      }
      return map;
    } catch (JsonProcessingException e) {
      throw new ModelException(index + " is not JSON (" + Reason.of(e) + ")");
    } catch (IOException e) {
      throw new ModelException(index + " cannot be read: " + Reason.of(e));
    }
  }
}
