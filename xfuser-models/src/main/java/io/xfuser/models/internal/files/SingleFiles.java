package io.xfuser.models.internal.files;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.xfuser.config.ModelConfig;
import io.xfuser.failure.ModelException;
import io.xfuser.internal.files.ModelAssembler;
import io.xfuser.model.PipelineComponents;
import io.xfuser.model.PipelineComponents.Given;
import io.xfuser.models.internal.files.ModelFormat.TextSlot;
import io.xfuser.models.internal.weights.Checkpoint;
import io.xfuser.models.internal.weights.Checkpoint.Found;
import io.xfuser.weights.ComponentConfig;
import io.xfuser.weights.LoadOptions;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Puts together a pipeline of a transformer's file, and of files and folders given beside it. */
public final class SingleFiles implements ModelAssembler {
  private static final String VAE = "vae";
  private static final JsonMapper JSON = new JsonMapper();

  @Override
  public PipelineComponents assemble(ModelConfig config, LoadOptions loading) {
    Path model = config.directory().orElseThrow();
    Map<String, Path> parts = config.parts();
    return Files.isDirectory(model)
        ? exchanged(model, parts, loading)
        : new Assembly(model, parts).components(loading);
  }

  @Override
  public Map<String, Object> inspect(Path place, Map<String, Path> parts) {
    return Files.isDirectory(place) ? FolderInspection.of(place) : Inspection.ofFile(place, parts);
  }

  /** What the model in {@code file} needs that is not in it, by the names of settings. */
  static List<String> missing(Path file, Map<String, Path> parts) {
    Assembly assembly = new Assembly(file, parts);
    assembly.addAll();
    return assembly.missing;
  }

  /** A directory with other parts. */
  private static PipelineComponents exchanged(
      Path directory, Map<String, Path> parts, LoadOptions loading) {
    ComponentConfig index = ComponentConfig.read(directory.resolve("model_index.json"));
    PipelineComponents plain = new PipelineComponents(directory, index, loading);
    Map<String, Given> given = new LinkedHashMap<>();
    parts.forEach(
        (name, place) -> {
          if (!plain.has(name)) {
            throw new ModelException(index.origin() + " has no " + name + " that could be another");
          }
          Map<String, Object> own = new HashMap<>();
          if (Files.isRegularFile(place) && !name.startsWith("tokenizer")) {
            ComponentConfig old = plain.config(name, "config.json");
            old.keys().stream().filter(old::has).forEach(key -> own.put(key, old.value(key)));
            own.remove("quantization_config"); // of the weights that are not read
          }
          given.put(name, part(name, place, own));
          if (name.startsWith("text_encoder") && Files.isDirectory(place)) {
            FolderInspection.requireFamily(name, place, plain.className(name));
          }
        });
    return new PipelineComponents(directory, index, loading, given);
  }

  /**
   * A component in a place that was given.
   *
   * @param more settings that count more than what a file's shapes tell
   */
  private static Given part(String name, Path place, Map<String, Object> more) {
    if (Files.isDirectory(place)) {
      FolderInspection.requireKind(name, place);
      return new Given(place, "", null);
    }
    if (!Files.isRegularFile(place)) {
      throw new ModelException(name + ": there is no " + place);
    }
    if (name.startsWith("tokenizer")) {
      throw new ModelException(name + ": " + place + " is no folder of a tokenizer's files");
    }
    List<Found> found = Checkpoint.read(place).components();
    return found.stream()
        .filter(component -> name.startsWith(component.format().component()))
        .findFirst()
        .map(component -> given(place, component, more))
        .orElseThrow(
            () ->
                new ModelException(
                    "%s: %s is %s".formatted(name, place, Unsupported.described(place, found))));
  }

  private static Given given(Path place, Found component, Map<String, Object> more) {
    Map<String, Object> settings = new HashMap<>(component.format().config(component.tensors()));
    settings.putAll(more);
    return new Given(place, component.prefix(), json(place + "'s shapes", settings));
  }

  private static ComponentConfig json(String origin, Map<String, ?> settings) {
    try {
      return ComponentConfig.parse(origin, JSON.writeValueAsString(settings));
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }

  /** A pipeline that is put together. */
  private static final class Assembly {
    private final Path file;
    private final Map<String, Path> parts;
    private final List<Found> inside;
    private final Found transformer;
    private final ModelFormat format;
    private final Map<String, Given> given = new LinkedHashMap<>();
    private final Map<String, Object> index = new LinkedHashMap<>();
    private final List<String> missing = new ArrayList<>();

    Assembly(Path file, Map<String, Path> parts) {
      this.file = file;
      this.parts = parts;
      Checkpoint checkpoint = Checkpoint.read(file);
      this.inside = checkpoint.components();
      this.transformer =
          inside.stream()
              .filter(found -> found.format() instanceof ModelFormat)
              .findFirst()
              .orElseThrow(
                  () ->
                      new ModelException(
                          "%s is %s, not a model that can be drawn with"
                              .formatted(file, Unsupported.described(checkpoint, inside))));
      this.format = (ModelFormat) transformer.format();
    }

    void addAll() {
      index.putAll(format.index(transformer.tensors(), file));
      index.put("_class_name", format.pipeline(transformer.tensors(), file));
      Given own = given(file, transformer, format.named(file));
      add("transformer", "diffusers", format.className(), own);
      add("scheduler", format.scheduler(transformer.tensors(), file));
      addVae();
      addProcessor();
      format.texts().forEach(this::addText);
    }

    PipelineComponents components(LoadOptions loading) {
      addAll();
      if (!missing.isEmpty()) {
        throw new ModelException(
            "%s is %s alone: what is missing is given by %s"
                .formatted(file, format.title(), String.join(", ", missing)));
      }
      requireUsed();
      return new PipelineComponents(
          file.toAbsolutePath().resolveSibling(""),
          json(String.valueOf(file), index),
          loading,
          given);
    }

    private void add(String name, String library, String className, Given place) {
      index.put(name, List.of(library, className));
      given.put(name, place);
    }

    private void add(String name, Map<String, Object> settings) {
      ComponentConfig config = json(format.title() + "'s " + name, settings);
      add(
          name,
          "diffusers",
          String.valueOf(settings.get("_class_name")),
          new Given(file, "", config));
    }

    private void addProcessor() {
      Map<String, Object> settings = format.processor(transformer.tensors(), file);
      if (!settings.isEmpty()) {
        ComponentConfig config = json(format.title() + "'s processor", settings);
        add("processor", "transformers", "Qwen2VLProcessor", new Given(file, "", config));
      }
    }

    private void addVae() {
      Path place = parts.get(VAE);
      Optional<Given> found =
          place == null
              ? in(VAE, "").map(own -> given(file, own, format.vae()))
              : Optional.of(part(VAE, place, format.vae()));
      found.ifPresentOrElse(
          given -> add(VAE, "diffusers", vaeClass(given), given), () -> missing.add(VAE));
    }

    private static String vaeClass(Given given) {
      ComponentConfig told = given.config();
      ComponentConfig config =
          told == null ? ComponentConfig.read(given.place().resolve("config.json")) : told;
      return config.className().orElse("AutoencoderKL");
    }

    private Optional<Found> in(String component, String infix) {
      return inside.stream()
          .filter(found -> found.format().component().equals(component))
          .filter(found -> found.prefix().contains(infix))
          .findFirst();
    }

    private void addText(TextSlot slot) {
      Path place = parts.get(slot.encoder());
      Optional<Found> own = in("text_encoder", slot.infix());
      if (place == null && own.isEmpty()) {
        if (slot.optional() && !parts.containsKey(slot.tokenizerName())) {
          index.put(slot.encoder(), Arrays.asList(null, null));
          index.put(slot.tokenizerName(), Arrays.asList(null, null));
        } else {
          missing.add(slot.encoder()); // which may bring its tokenizer
        }
        return;
      }
      if (place != null && Files.isDirectory(place)) {
        FolderInspection.requireFamily(slot.encoder(), place, slot.className());
      }
      add(
          slot.encoder(),
          "transformers",
          slot.className(),
          place == null
              ? given(file, own.orElseThrow(), slot.config())
              : part(slot.encoder(), place, slot.config()));
      addTokenizer(slot, place);
    }

    /** The tokenizer that was given, else one beside the encoder or in its folder. */
    private void addTokenizer(TextSlot slot, @Nullable Path encoder) {
      Path given = parts.get(slot.tokenizerName());
      Optional<Path> folder =
          given != null
              ? Optional.of(given)
              : TokenizerPlaces.beside(encoder, slot).or(() -> TokenizerPlaces.beside(file, slot));
      if (folder.isEmpty()) {
        folder = PublishedTokenizers.of(slot, vocabulary(slot));
      }
      if (folder.isEmpty()) {
        missing.add(slot.tokenizerName());
        return;
      }
      add(
          slot.tokenizerName(),
          "transformers",
          slot.tokenizer(),
          part(slot.tokenizerName(), folder.get(), Map.of()));
    }

    /** How many tokens the encoder knows; 0 where its settings do not tell. */
    private int vocabulary(TextSlot slot) {
      Given encoder = Objects.requireNonNull(given.get(slot.encoder()));
      ComponentConfig config = encoder.config();
      ComponentConfig settings =
          config == null ? ComponentConfig.read(encoder.place().resolve("config.json")) : config;
      return settings.getInt("vocab_size", 0);
    }

    private void requireUsed() {
      parts.keySet().stream()
          .filter(name -> !given.containsKey(name))
          .findFirst()
          .ifPresent(
              name -> {
                throw new ModelException(file + " is " + format.title() + ", which has no " + name);
              });
    }
  }
}
