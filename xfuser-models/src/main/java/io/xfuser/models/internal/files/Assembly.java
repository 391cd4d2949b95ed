package io.xfuser.models.internal.files;

import io.xfuser.failure.ModelException;
import io.xfuser.model.PipelineComponents;
import io.xfuser.model.PipelineComponents.Given;
import io.xfuser.models.internal.files.ModelFormat.Half;
import io.xfuser.models.internal.files.ModelFormat.TextSlot;
import io.xfuser.models.internal.parts.TwoTransformers;
import io.xfuser.models.internal.text.ClipPictures;
import io.xfuser.models.internal.weights.Checkpoint;
import io.xfuser.models.internal.weights.Checkpoint.Found;
import io.xfuser.weights.ComponentConfig;
import io.xfuser.weights.LoadOptions;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** A pipeline that is put together of a transformer's file and what is given beside it. */
final class Assembly {
  private static final String VAE = "vae";
  private static final String SECOND = TwoTransformers.SECOND;

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

  private void addAll() {
    index.putAll(format.index(transformer.tensors(), file));
    index.put("_class_name", format.pipeline(transformer.tensors(), file));
    Given own = GivenPart.given(file, transformer, format.named(file));
    addTransformers(own);
    add("scheduler", format.scheduler(transformer.tensors(), file));
    if (!format.guider(file).isEmpty()) {
      add("guider", format.guider(file));
    }
    addVae();
    addProcessor();
    addPictures();
    format.texts().forEach(this::addText);
  }

  /** What is not there, by the names of settings. */
  List<String> missing() {
    addAll();
    return missing;
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
        GivenPart.json(String.valueOf(file), index),
        loading,
        given);
  }

  /** One transformer, or two, in whichever order names tell, else as they are given. */
  private void addTransformers(Given own) {
    Path place = parts.get(SECOND);
    Half half = format.half(file);
    Map<String, Object> two = format.indexOfTwo(transformer.tensors());
    if (two.isEmpty() || (place == null && half == Half.ALONE)) {
      add("transformer", "diffusers", format.className(), own);
      return;
    }
    index.putAll(two);
    if (place == null) {
      add(half == Half.FIRST ? "transformer" : SECOND, "diffusers", format.className(), own);
      missing.add(SECOND);
      return;
    }
    Half other = format.half(place);
    if (half != Half.ALONE && half == other) {
      throw new ModelException(
          "%s and %s: both are for the steps with %s noise"
              .formatted(file, place, half == Half.FIRST ? "more" : "less"));
    }
    boolean ordered = half == Half.FIRST || other == Half.SECOND || half == other;
    Given second = GivenPart.of(SECOND, place, format);
    add("transformer", "diffusers", format.className(), ordered ? own : second);
    add(SECOND, "diffusers", format.className(), ordered ? second : own);
  }

  /** What encodes pictures for the transformer, and what prepares them for that. */
  private void addPictures() {
    String className = format.imageEncoder(transformer.tensors());
    if (className.isEmpty()) {
      return;
    }
    Path place = parts.get(ClipPictures.ENCODER);
    Optional<Given> found =
        place == null
            ? in(ClipPictures.ENCODER, "").map(own -> GivenPart.given(file, own, Map.of()))
            : Optional.of(GivenPart.of(ClipPictures.ENCODER, place, Map.of()));
    if (found.isEmpty()) {
      missing.add(ClipPictures.ENCODER);
      return;
    }
    add(ClipPictures.ENCODER, "transformers", className, found.get());
    int side = GivenPart.settings(found.get()).getInt("image_size", 224);
    index.put(ClipPictures.PROCESSOR, List.of("transformers", "CLIPImageProcessor"));
    Map<String, Object> view = ClipPictures.processor(side);
    given.put(
        ClipPictures.PROCESSOR,
        new Given(file, "", GivenPart.json(format.title() + "'s view of pictures", view)));
  }

  private void add(String name, String library, String className, Given place) {
    index.put(name, List.of(library, className));
    given.put(name, place);
  }

  private void add(String name, Map<String, Object> settings) {
    ComponentConfig config = GivenPart.json(format.title() + "'s " + name, settings);
    add(
        name,
        "diffusers",
        String.valueOf(settings.get("_class_name")),
        new Given(file, "", config));
  }

  private void addProcessor() {
    Map<String, Object> settings = format.processor(transformer.tensors(), file);
    if (!settings.isEmpty()) {
      ComponentConfig config = GivenPart.json(format.title() + "'s processor", settings);
      add("processor", "transformers", "Qwen2VLProcessor", new Given(file, "", config));
    }
  }

  private void addVae() {
    Path place = parts.get(VAE);
    Optional<Given> found =
        place == null
            ? in(VAE, "").map(own -> GivenPart.given(file, own, format.vae()))
            : Optional.of(GivenPart.of(VAE, place, format.vae()));
    found.ifPresentOrElse(
        given -> add(VAE, "diffusers", vaeClass(given), given), () -> missing.add(VAE));
  }

  private static String vaeClass(Given given) {
    return GivenPart.settings(given).className().orElse("AutoencoderKL");
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
            ? GivenPart.given(file, own.orElseThrow(), slot.config())
            : GivenPart.of(slot.encoder(), place, slot.config()));
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
        GivenPart.of(slot.tokenizerName(), folder.get(), Map.of()));
  }

  /** How many tokens the encoder knows; 0 where its settings do not tell. */
  private int vocabulary(TextSlot slot) {
    Given encoder = Objects.requireNonNull(given.get(slot.encoder()));
    return GivenPart.settings(encoder).getInt("vocab_size", 0);
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
