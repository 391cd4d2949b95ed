package io.xfuser.models.internal.files;

import io.xfuser.internal.files.ModelAssembler.Adapter;
import io.xfuser.model.PipelineComponents;
import io.xfuser.model.PipelineComponents.Given;
import io.xfuser.models.internal.adapter.Adapters;
import io.xfuser.models.internal.text.ClipPictures;
import io.xfuser.models.internal.text.Eyes;
import io.xfuser.weights.ComponentConfig;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Adds IP-Adapters, and what encodes pictures for them, to a pipeline's components. */
final class GivenAdapters {
  /** What prepares pictures in directories that diffusers saves. */
  private static final String EXTRACTOR = "feature_extractor";

  private GivenAdapters() {}

  /**
   * {@code plain} with {@code adapters}.
   *
   * @param eyes what encodes pictures; null = the pipeline's own, or a folder {@code image_encoder}
   *     beside the first adapter; there may be none
   */
  static PipelineComponents beside(
      PipelineComponents plain, List<Adapter> adapters, @Nullable Path eyes) {
    Map<String, Given> given = new LinkedHashMap<>(plain.given());
    Map<String, Object> index = new LinkedHashMap<>();
    ComponentConfig old = plain.index();
    old.keys().stream().filter(old::has).forEach(key -> index.put(key, old.value(key)));
    for (int i = 0; i < adapters.size(); i++) {
      Adapter adapter = adapters.get(i);
      ComponentConfig told =
          GivenPart.json(adapter.file() + "'s scales", Map.of(Adapters.SCALES, adapter.scales()));
      given.put(Adapters.component(i), new Given(adapter.file(), "", told));
    }
    encoder(plain, adapters, eyes)
        .ifPresent(
            found -> {
              given.put(ClipPictures.ENCODER, found);
              if (eyes != null || !plain.has(ClipPictures.ENCODER)) { // its own has its class
                String own = Eyes.className(GivenPart.settings(found));
                index.put(ClipPictures.ENCODER, List.of("transformers", own));
              }
              given.put(ClipPictures.PROCESSOR, processor(plain, found, eyes == null));
              index.put(
                  ClipPictures.PROCESSOR,
                  List.of("transformers", Eyes.viewClass(GivenPart.settings(found))));
            });
    return new PipelineComponents(
        plain.directory(), GivenPart.json(old.origin(), index), plain.loading(), given);
  }

  private static Optional<Given> encoder(
      PipelineComponents plain, List<Adapter> adapters, @Nullable Path eyes) {
    if (eyes != null) {
      return Optional.of(GivenPart.of(ClipPictures.ENCODER, eyes, Map.of()));
    }
    if (plain.has(ClipPictures.ENCODER)) {
      return Optional.of(new Given(plain.folder(ClipPictures.ENCODER), "", null));
    }
    Path beside = adapters.get(0).file().resolveSibling(ClipPictures.ENCODER);
    return Files.isDirectory(beside)
        ? Optional.of(GivenPart.of(ClipPictures.ENCODER, beside, Map.of()))
        : Optional.empty();
  }

  /**
   * The pipeline's own, else the encoder's, or what diffusers makes for one of this size. An
   * encoder whose folder says how it sees pictures comes with that, but for the pipeline's own.
   */
  private static Given processor(PipelineComponents plain, Given encoder, boolean notGiven) {
    boolean its = notGiven && plain.has(ClipPictures.ENCODER);
    boolean brings = Eyes.bringsView(GivenPart.settings(encoder));
    if (plain.has(EXTRACTOR) && (its || !brings)) {
      return new Given(plain.folder(EXTRACTOR), "", null);
    }
    Path own = encoder.place().resolve(Eyes.VIEW);
    if (brings && Files.isRegularFile(own)) {
      return new Given(encoder.place(), "", null);
    }
    Map<String, Object> view = Eyes.view(GivenPart.settings(encoder));
    return new Given(
        encoder.place(), "", GivenPart.json(ClipPictures.ENCODER + "'s view of pictures", view));
  }
}
