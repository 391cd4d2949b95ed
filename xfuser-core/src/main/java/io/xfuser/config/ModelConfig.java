package io.xfuser.config;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Where a model lies. */
public final class ModelConfig extends Settings {
  public static final Setting<Path> DOWNLOAD_DIR =
      Setting.of(
              "download_dir",
              Kind.path(),
              "DIR",
              "Where downloaded models are kept, in the layout of huggingface_hub's cache")
          .open("that cache");

  public static final Setting<String> VARIANT =
      Setting.of(
          "variant", Kind.string(), "NAME", "Weight files with this infix, fp16 for example");

  public static final List<Setting<?>> SETTINGS = List.of(DOWNLOAD_DIR, VARIANT);

  private final Path model;

  private ModelConfig(Builder builder) {
    super(builder);
    this.model = builder.model;
  }

  /**
   * A model with its plain weight files.
   *
   * @param model a directory in diffusers' layout, or {@code org/name} or {@code org/name@revision}
   *     of the Hugging Face hub
   */
  public static Builder builder(Path model) {
    return new Builder(model);
  }

  /** The same model at another place. */
  public ModelConfig at(Path place) {
    return new Builder(place).setAll(given()).build();
  }

  /** A builder that starts from these values. */
  public Builder toBuilder() {
    return new Builder(this);
  }

  @Override
  public List<Setting<?>> settings() {
    return SETTINGS;
  }

  /** The directory or the name. */
  public Path model() {
    return model;
  }

  /** The folder to keep models of the hub in; {@code null} = the cache that all programs share. */
  public @Nullable Path downloadDir() {
    return get(DOWNLOAD_DIR);
  }

  /**
   * The part of weight file names between name and extension, {@code fp16} in {@code
   * model.fp16.safetensors}; {@code null} = none.
   */
  public @Nullable String variant() {
    return get(VARIANT);
  }

  /** The directory {@code model}, else {@code downloadDir/model}; nothing if there is neither. */
  public Optional<Path> directory() {
    Path downloads = downloadDir();
    List<Path> places =
        downloads == null ? List.of(model) : List.of(model, downloads.resolve(model));
    return places.stream().filter(Files::isDirectory).findFirst();
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof ModelConfig config && config.model.equals(model) && super.equals(other);
  }

  @Override
  public int hashCode() {
    return 31 * model.hashCode() + super.hashCode();
  }

  @Override
  public String toString() {
    return model + " " + super.toString();
  }

  /** Values that are being put together. */
  public static final class Builder extends Settings.Builder<Builder> {
    private final Path model;

    private Builder(Path model) {
      this.model = model;
    }

    private Builder(ModelConfig from) {
      super(from);
      this.model = from.model;
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
     */
    public Builder variant(@Nullable String infix) {
      return set(VARIANT, infix);
    }

    /** The values. */
    public ModelConfig build() {
      return new ModelConfig(this);
    }
  }
}
