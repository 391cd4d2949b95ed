package io.xfuser.config;

import io.xfuser.failure.ArgumentException;
import java.util.Collection;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One setting, stated once: what diffusers or xDiT call it, which values it may have, what it is by
 * default, and what it means. Builders, command lines, JSON and DJL's arguments read their values
 * by it.
 *
 * @param <T> of its values, which are immutable
 */
public final class Setting<T> {
  private final String name;
  private final Kind<T> kind;
  private final String unit;
  private final String meaning;
  private final @Nullable T standard;
  private final String standardText;

  private Setting(Setting<T> described, @Nullable T standard, String standardText) {
    this.name = described.name;
    this.kind = described.kind;
    this.unit = described.unit;
    this.meaning = described.meaning;
    this.standard = standard;
    this.standardText = standardText;
  }

  private Setting(String name, Kind<T> kind, String unit, String meaning) {
    this.name = name;
    this.kind = kind;
    this.unit = unit;
    this.meaning = meaning;
    this.standard = null;
    this.standardText = "none";
  }

  /**
   * A setting without a default.
   *
   * @param unit what a value counts or names, in capitals: {@code PIXELS}
   * @param meaning one sentence, without its full stop: what it is, range and cost
   */
  public static <T> Setting<T> of(String name, Kind<T> kind, String unit, String meaning) {
    return new Setting<>(name, kind, unit, meaning);
  }

  /** A switch that is off by default. */
  public static Setting<Boolean> off(String name, String meaning) {
    return of(name, Kind.truth(), "", meaning).or(false, "off");
  }

  /** The same with a default. */
  public Setting<T> or(T value) {
    return or(value, kind.text().apply(value));
  }

  /** The same with a default that is told in other words. */
  public Setting<T> or(T value, String said) {
    return new Setting<>(this, value, said);
  }

  /** The same, left open by default; {@code said} tells who decides then. */
  public Setting<T> open(String said) {
    return new Setting<>(this, null, said);
  }

  /** What diffusers or xDiT call it, {@code num_inference_steps} for example. */
  public String name() {
    return name;
  }

  /** What a value counts or names, in capitals; empty for a switch. */
  public String unit() {
    return unit;
  }

  /** What it means, in one sentence with range, cost and default, without a full stop. */
  public String description() {
    return meaning + " (default: " + standardText + ")";
  }

  /** The value where none is given; {@code null} = left open. */
  public @Nullable T standard() {
    return standard;
  }

  /** Whether its values are true and false. */
  public boolean isSwitch() {
    return kind.shape() == Kind.Shape.SWITCH;
  }

  /** Whether it has several values. */
  public boolean isList() {
    return kind.shape() == Kind.Shape.TEXTS || kind.shape() == Kind.Shape.NUMBERS;
  }

  /** Whether its values are words with a meaning. */
  public boolean isWord() {
    return kind.shape() == Kind.Shape.WORD;
  }

  /** Whether its values may be any text. */
  public boolean isText() {
    return kind.shape() == Kind.Shape.TEXT || kind.shape() == Kind.Shape.TEXTS;
  }

  /**
   * Reads and checks a value.
   *
   * @param value a value of its type, a text, a number, a boolean, or a collection of them
   * @throws ArgumentException with the name, the range and the value
   */
  public T read(Object value) {
    try {
      return kind.reader().apply(value);
    } catch (Kind.Wrong e) {
      throw new ArgumentException(name + " " + e.getMessage());
    }
  }

  /**
   * Reads and checks a value of JSON, in which a text is no number and neither true nor false.
   *
   * @param value a text, a number, a boolean, or a collection of them
   * @throws ArgumentException with the name, the range and the value
   */
  public T readJson(Object value) {
    Collection<?> values = value instanceof Collection<?> several ? several : List.of(value);
    boolean written = kind.shape() == Kind.Shape.TEXT || kind.shape() == Kind.Shape.WORD;
    for (Object one : values) {
      if (one instanceof CharSequence && !written && kind.shape() != Kind.Shape.TEXTS) {
        throw new ArgumentException(
            "%s must be %s, but is \"%s\""
                .formatted(name, isSwitch() ? "true or false" : "a number", one));
      }
    }
    return read(value);
  }

  /** A value as {@link #read} takes it. */
  public String text(T value) {
    return kind.text().apply(value);
  }

  /** The name with a value, for sentences: {@code offload model}. */
  public String with(Object value) {
    return name + " " + text(read(value));
  }

  /** Its value in {@code values} as text, {@code none} where it is left open. */
  public String textIn(Settings values) {
    T value = values.get(this);
    return value == null ? "none" : text(value);
  }

  /** The name. */
  @Override
  public String toString() {
    return name;
  }
}
