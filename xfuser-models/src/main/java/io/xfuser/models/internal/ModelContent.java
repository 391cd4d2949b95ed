package io.xfuser.models.internal;

import io.xfuser.failure.ModelException;
import io.xfuser.internal.weights.WeightFiles;
import io.xfuser.model.PipelineComponents;
import io.xfuser.models.internal.adapter.Adapters;
import io.xfuser.models.internal.parts.TwoTransformers;
import io.xfuser.models.internal.weights.ComponentWeights;
import io.xfuser.models.internal.weights.ContentDigest;
import io.xfuser.weights.ComponentConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What is in a diffusers directory, as far as a picture depends on it, whatever it is called and
 * wherever it lies: ranks that draw together must have the same.
 */
final class ModelContent {
  private static final Logger LOG = LoggerFactory.getLogger(ModelContent.class);

  private static final List<String> COMPONENTS =
      List.of(
          "transformer",
          TwoTransformers.SECOND,
          "vae",
          "text_encoder",
          "text_encoder_2",
          "text_encoder_3",
          "tokenizer",
          "tokenizer_2",
          "tokenizer_3",
          "scheduler",
          "image_encoder",
          "image_processor",
          "processor",
          "guider");

  /** Settings and vocabularies. */
  private static final List<String> FILES =
      List.of(
          "config.json",
          "scheduler_config.json",
          "guider_config.json",
          "preprocessor_config.json",
          "processor_config.json",
          "tokenizer.json",
          "tokenizer_config.json",
          "special_tokens_map.json",
          "added_tokens.json",
          "spiece.model",
          "vocab.json",
          "merges.txt",
          "vocab.txt");

  private ModelContent() {}

  /** A digest of every component, and what {@code model_index.json} says beside them. */
  static Map<String, String> of(PipelineComponents components) {
    Map<String, String> all = new TreeMap<>(beside(components.index()));
    for (String name : COMPONENTS) {
      if (components.has(name)) {
        try {
          String digest = digest(name, components);
          all.put(name + "/ of class", components.className(name));
          all.put(name + "/ with the digest", digest);
        } catch (IOException | ModelException e) {
          // who loads it will say so
          LOG.debug("{} cannot be compared with that of other ranks", components.folder(name), e);
        }
      }
    }
    adapters(components, all);
    return all;
  }

  private static void adapters(PipelineComponents components, Map<String, String> all) {
    for (int i = 0; components.given().containsKey(Adapters.component(i)); i++) {
      String name = Adapters.component(i);
      ComponentConfig told = Objects.requireNonNull(components.given().get(name)).config();
      try (ComponentWeights weights = ComponentWeights.open(components, name)) {
        ContentDigest digest = new ContentDigest();
        weights.digest(digest);
        all.put(name + "/ with the digest", digest.hex());
        all.put(name + "/ with the scales", Objects.requireNonNull(told).text(Adapters.SCALES));
      } catch (IOException | ModelException e) {
        LOG.debug("{} cannot be compared with that of other ranks", name, e);
      }
    }
  }

  /** Where a second transformer takes over, for example. */
  private static Map<String, String> beside(ComponentConfig index) {
    return index.keys().stream()
        .filter(key -> !key.startsWith("_") && index.has(key) && !index.text(key).startsWith("["))
        .collect(Collectors.toMap(key -> "model_index.json: " + key, index::text));
  }

  private static String digest(String name, PipelineComponents components) throws IOException {
    Path folder = components.folder(name);
    ContentDigest digest = new ContentDigest();
    for (String file : FILES) {
      if (Files.isRegularFile(folder.resolve(file))) {
        digest.file(folder.resolve(file));
      }
    }
    if (WeightFiles.exist(components.className(name))) {
      try (ComponentWeights weights = ComponentWeights.open(components, name)) {
        weights.digest(digest);
      }
    }
    return digest.hex();
  }
}
