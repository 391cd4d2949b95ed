package io.xfuser.config;

import io.xfuser.failure.ArgumentException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Values of settings, immutable; two are equal if all their values are, given or by default. */
public abstract sealed class Settings
    permits ModelArguments, RuntimeConfig, ParallelConfig, ModelSettings {
  private final Map<Setting<?>, Object> given;

  Settings(Builder<?> builder) {
    this.given = Map.copyOf(builder.given);
  }

  /** The settings that there are, in the order in which they are told. */
  public abstract List<Setting<?>> settings();

  /** The value of {@code setting}, its default where none was given. */
  @SuppressWarnings("unchecked") // the builder has read it by this setting
  public <T> @Nullable T get(Setting<T> setting) {
    T value = (T) given.get(setting);
    return value == null ? setting.standard() : value;
  }

  /** Whether a value was given. */
  public boolean has(Setting<?> setting) {
    return given.containsKey(setting);
  }

  /** The value of a setting that has a default. */
  <T> T value(Setting<T> setting) {
    return Objects.requireNonNull(get(setting), setting.name());
  }

  Map<Setting<?>, Object> given() {
    return given;
  }

  private List<@Nullable Object> values() {
    return settings().stream().<@Nullable Object>map(this::get).collect(Collectors.toList());
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof Settings settings
        && settings.getClass() == getClass()
        && settings.values().equals(values());
  }

  @Override
  public int hashCode() {
    return values().hashCode();
  }

  /** Every setting with its value. */
  @Override
  public String toString() {
    return settings().stream()
        .map(setting -> setting + "=" + setting.textIn(this))
        .collect(Collectors.joining(", ", getClass().getSimpleName() + "[", "]"));
  }

  /**
   * Values that are being put together.
   *
   * @param <B> its own type
   */
  public abstract static sealed class Builder<B extends Builder<B>>
      permits InputConfigBuilder,
          RuntimeConfig.Builder,
          ParallelConfigBuilder,
          ModelConfig.Builder {
    private final Map<Setting<?>, Object> given = new LinkedHashMap<>();

    Builder() {}

    Builder(Settings from) {
      given.putAll(from.given);
    }

    abstract B self();

    /** The settings that it has. */
    public abstract List<Setting<?>> settings();

    /**
     * A value as a command line, JSON or a program has it: of its type, a text, a number, a
     * boolean, or a collection of them.
     *
     * @param value {@code null} = none is given
     * @throws ArgumentException with the name, the range and the value; for a setting of others
     */
    public B set(Setting<?> setting, @Nullable Object value) {
      if (!settings().contains(setting)) {
        throw new ArgumentException(setting + " is no setting of " + settings());
      }
      if (value == null) {
        given.remove(setting);
      } else {
        given.put(setting, setting.read(value));
      }
      return self();
    }

    /**
     * Those of {@code values} that are for these settings.
     *
     * @throws ArgumentException as {@link #set} does
     */
    public B setAll(Map<Setting<?>, Object> values) {
      values.forEach(
          (setting, value) -> {
            if (settings().contains(setting)) {
              set(setting, value);
            }
          });
      return self();
    }
  }
}
