package io.xfuser.config;

import io.xfuser.failure.ArgumentException;
import io.xfuser.torchscript.ElementType;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Where a model lies. */
public final class ModelConfig extends ModelSettings {
  private static final long MEGABYTE = 1_000_000;

  private final @Nullable Path directory;
  private final @Nullable ModelName name;

  private ModelConfig(Builder builder, @Nullable Path directory, @Nullable ModelName name) {
    super(builder);
    this.directory = directory;
    this.name = name;
  }

  /** The model in {@code directory}, in diffusers' layout, or in one file. */
  public static Builder builder(Path directory) {
    return new Builder(Given.required(directory, "the directory of the model"), null);
  }

  /** A model of the Hugging Face hub, which is downloaded once. */
  public static Builder builder(ModelName name) {
    return new Builder(null, Given.required(name, "the name of the model"));
  }

  /**
   * A model as a command line names it: a directory or a file, here or below {@code downloads};
   * else, in the form {@code org/name} or {@code org/name@revision}, one of the hub. What ends with
   * a slash can be a directory alone.
   *
   * @param downloads where downloaded models are kept; {@code null} = the cache that all programs
   *     share
   */
  public static Builder named(String text, @Nullable Path downloads) {
    Path path = Path.of(text);
    List<Path> places = downloads == null ? List.of(path) : List.of(path, downloads.resolve(path));
    Optional<Path> there = places.stream().filter(Files::exists).findFirst();
    boolean folder = there.isPresent() || isFile(path) || text.endsWith("/") || text.endsWith("\\");
    Optional<ModelName> name = folder ? Optional.empty() : ModelName.parse(path);
    return name.map(ModelConfig::builder)
        .orElseGet(() -> builder(there.orElse(path)))
        .downloadDir(downloads);
  }

  /** Whether {@code model} is meant to be one file, by its name. */
  public static boolean isFile(Path model) {
    String name = model.toString().toLowerCase(Locale.ROOT);
    return Stream.of(".safetensors", ".sft", ".gguf").anyMatch(name::endsWith);
  }

  /** A builder that starts from these values. */
  public Builder toBuilder() {
    return new Builder(this);
  }

  /** The same model, which is here in {@code place}; one of the hub keeps its name. */
  public ModelConfig in(Path place) {
    return new ModelConfig(toBuilder(), place, name);
  }

  /** The directory, unless it is a model of the hub that may not be here yet. */
  public Optional<Path> directory() {
    return Optional.ofNullable(directory);
  }

  /** The name, if it is a model of the hub. */
  public Optional<ModelName> name() {
    return Optional.ofNullable(name);
  }

  /** The folder to keep models of the hub in; {@code null} = the cache that all programs share. */
  public @Nullable Path downloadDir() {
    return get(DOWNLOAD_DIR);
  }

  /** Whether weights stay in the files' types and are widened each time they are used. */
  public boolean keepsWeightTypes() {
    return Boolean.TRUE.equals(get(WEIGHTS_DTYPE));
  }

  /** Whether floats of text encoders and large transformers do on CPUs that multiply in fp32. */
  public boolean keepsTypesWhereCheap() {
    return !Boolean.FALSE.equals(get(WEIGHTS_DTYPE));
  }

  /** The components that are given beside the model, by name: files or folders. */
  public Map<String, Path> parts() {
    Map<String, Path> given = new LinkedHashMap<>();
    for (Setting<Path> part : PARTS) {
      Path place = get(part);
      if (place != null) {
        given.put(part.name(), place);
      }
    }
    return given;
  }

  /**
   * The part of weight file names between name and extension, {@code fp16} in {@code
   * model.fp16.safetensors}; {@code null} = none.
   */
  public @Nullable String variant() {
    return get(VARIANT);
  }

  /** The type of weights of linear layers; {@code null} = that of the run. */
  public @Nullable ElementType quantize() {
    return get(QUANTIZE);
  }

  /** The same of the text encoders alone, whatever {@link #quantize} says. */
  public @Nullable ElementType quantizeTextEncoder() {
    return get(QUANTIZE_TEXT_ENCODER);
  }

  /** What step caches know of the model; {@code null} = what is published for it. */
  public @Nullable Path cacheCalibration() {
    return get(CACHE_CALIBRATION);
  }

  /** The LoRAs that are added to the weights, each as {@code PLACE} or {@code PLACE:SCALE}. */
  public List<String> loras() {
    return Objects.requireNonNullElse(get(LORA), List.of());
  }

  /** Whether what of a LoRA fits nothing is left out; else it is refused. */
  public boolean loraIgnoreUnknown() {
    return value(LORA_IGNORE_UNKNOWN);
  }

  /** Whether requests choose their LoRAs. */
  public boolean dynamicLora() {
    return value(DYNAMIC_LORA);
  }

  /** For how many choices of LoRAs weights are kept. */
  public int loraCache() {
    return value(LORA_CACHE);
  }

  /** The most bytes of encoded prompts that are kept in one place. */
  public long textCacheBytes() {
    return value(TEXT_CACHE) * MEGABYTE;
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof ModelConfig config
        && Objects.equals(config.directory, directory)
        && Objects.equals(config.name, name)
        && super.equals(other);
  }

  @Override
  public int hashCode() {
    return Objects.hash(directory, name, super.hashCode());
  }

  /** The directory or the name, for messages. */
  public String title() {
    return String.valueOf(name == null ? directory : name);
  }

  @Override
  public String toString() {
    return title() + " " + super.toString();
  }

  /** Values that are being put together. */
  public static final class Builder extends Settings.Builder<Builder> {
    private final @Nullable Path directory;
    private final @Nullable ModelName name;

    private Builder(@Nullable Path directory, @Nullable ModelName name) {
      this.directory = directory;
      this.name = name;
    }

    private Builder(ModelConfig from) {
      super(from);
      this.directory = from.directory;
      this.name = from.name;
    }

    @Override
    Builder self() {
      return this;
    }

    @Override
    public List<Setting<?>> settings() {
      return SETTINGS;
    }

    /** The folder to keep models of the hub in; by default the cache that all programs share. */
    public Builder downloadDir(@Nullable Path folder) {
      return set(DOWNLOAD_DIR, folder);
    }

    /**
     * The infix of weight files, {@code fp16} in {@code model.fp16.safetensors}; none by default.
     *
     * @throws io.xfuser.failure.ArgumentException if it is blank
     */
    public Builder variant(@Nullable String infix) {
      return set(VARIANT, infix);
    }

    /** The type of weights of linear layers: INT8; that of the run by default. */
    public Builder quantize(@Nullable ElementType type) {
      return set(QUANTIZE, type);
    }

    /** The same of the text encoders alone. */
    public Builder quantizeTextEncoder(@Nullable ElementType type) {
      return set(QUANTIZE_TEXT_ENCODER, type);
    }

    /** LoRAs, each as {@link #loras(List)} takes it. */
    public Builder loras(String... places) {
      return loras(List.of(places));
    }

    /**
     * LoRAs that are added to the weights in this order; none by default. Each is a file, a folder
     * with one, or on the hub {@code org/name} or {@code org/name/file.safetensors}, and after a
     * colon what of it is added, 1 by default.
     *
     * @throws io.xfuser.failure.ArgumentException if one is empty, or no number follows its colon
     */
    public Builder loras(List<String> places) {
      return set(LORA, places);
    }

    /** Whether what of a LoRA fits nothing in the model is left out; refused by default. */
    public Builder loraIgnoreUnknown(boolean lenient) {
      return set(LORA_IGNORE_UNKNOWN, lenient);
    }

    /**
     * Whether requests choose their LoRAs, by {@link InputConfigBuilder#loras}; false by default.
     * The first request with other LoRAs than those before it reads the weights that they change
     * once more; later ones find them in memory, as long as they are kept there.
     */
    public Builder dynamicLora(boolean choosing) {
      return set(DYNAMIC_LORA, choosing);
    }

    /**
     * For how many choices of LoRAs, of which none is one, the transformer's weights are kept in
     * memory, at least 1; 2 by default. Each takes as much memory as the transformer; those that
     * were not used for longest make room.
     */
    public Builder loraCache(int choices) {
      return set(LORA_CACHE, choices);
    }

    /**
     * Whether weights stay in the files' types until they are used; by default those of text
     * encoders do, where the files have fp32, fp16 or bf16 and the CPU multiplies in fp32.
     */
    public Builder keepWeightTypes(boolean keep) {
      return set(WEIGHTS_DTYPE, keep);
    }

    /**
     * A component in the place of the model's own.
     *
     * @param name one of {@link ModelConfig#PARTS}
     * @param place a file or a folder; {@code null} = the model's own
     */
    public Builder part(String name, @Nullable Path place) {
      for (Setting<Path> part : PARTS) {
        if (part.name().equals(name)) {
          return set(part, place);
        }
      }
      throw new ArgumentException("a model has no part " + name + ", but " + PARTS);
    }

    /** The values. */
    public ModelConfig build() {
      return new ModelConfig(this, directory, name);
    }
  }
}
