package io.xfuser.config;

import io.xfuser.failure.ArgumentException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Values of settings, immutable; two are equal if all their values are, given or by default. */
public abstract sealed class Settings
    permits ModelArguments, RuntimeConfig, ParallelSettings, ModelSettings {
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

  /** How steps are spared: what an earlier step computed is used again where little has changed. */
  public enum StepCache {
    /** Every step is computed. */
    NONE,
    /**
     * First-block cache: the first block is computed in every step; where its residual has changed
     * little since the last computed step, that step's residual of the other blocks is added
     * (ParaAttention; diffusers' {@code FirstBlockCacheConfig}).
     */
    FBCACHE,
    /**
     * TeaCache (arXiv 2411.19108): the modulated input of the first block, rescaled by a polynomial
     * that is fitted for each model, tells how much has changed.
     */
    TEACACHE,
    /**
     * MagCache (arXiv 2506.09045): how much residuals change from step to step is measured once.
     */
    MAGCACHE,
    /** EasyCache (arXiv 2507.02860): changes of latents and predictions tell; fits every model. */
    EASYCACHE,
    /**
     * TaylorSeer (arXiv 2503.06923), of the prediction alone (diffusers' {@code
     * TaylorSeerCacheConfig} in lite mode, order 1): continues the line through two computed steps.
     */
    TAYLORSEER
  }

  /** When Ulysses ranks trade what they have of queries, keys and values. */
  public enum Schedule {
    /** All of it at once. */
    TOGETHER,
    /** Values as soon as they are projected, the rest once it is normed and turned. */
    V_FIRST
  }

  /** How ranks tell one another what has changed since the step before. */
  public enum Compression {
    /** All is sent as it is. */
    NONE(0),
    /** Whether an element grew or shrank. */
    BINARY(1),
    /** The same, and whether by little or much. */
    INT2(2),
    /** One of 16 changes. */
    INT4(4);

    private final int bits;

    Compression(int bits) {
      this.bits = bits;
    }

    /** Bits of an element. */
    public int bits() {
      return bits;
    }
  }

  /**
   * Where the ranks of a Ulysses group are: rank i on node i / {@code ranks}.
   *
   * @param nodes how many there are, which are far from one another
   * @param ranks on each
   */
  public record Topology(int nodes, int ranks) {
    private static final Pattern TIMES = Pattern.compile("([1-9]\\d{0,3})x([1-9]\\d{0,3})");

    /**
     * Reads {@code 2x4}.
     *
     * @throws IllegalArgumentException if it is none
     */
    public static Topology parse(String text) {
      Matcher numbers = TIMES.matcher(text.toLowerCase(Locale.ROOT));
      if (!numbers.matches()) {
        throw new IllegalArgumentException(
            "must be nodes x ranks of each, such as 2x4, but is " + text);
      }
      return new Topology(Integer.parseInt(numbers.group(1)), Integer.parseInt(numbers.group(2)));
    }

    /** The text that {@link #parse} reads. */
    @Override
    public String toString() {
      return nodes + "x" + ranks;
    }
  }
}
