package io.xfuser.config;

import java.awt.image.BufferedImage;
import java.math.BigInteger;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The values that a setting may have: read from what a command line, JSON or a program gives, and
 * checked.
 *
 * @param reader makes a value of a text, number, boolean, collection or of a value itself; throws
 *     {@link Wrong} for what is none
 * @param text a value as it is written
 * @param shape how a value is given
 */
public record Kind<T>(Function<Object, T> reader, Function<T, String> text, Shape shape) {
  private static final BigInteger LEAST_SEED = BigInteger.ONE.shiftLeft(63).negate();
  private static final BigInteger END_OF_SEEDS = BigInteger.ONE.shiftLeft(64);
  private static final Pattern WHOLE = Pattern.compile("[+-]?[0-9]{1,20}");

  /** How a value is given. */
  public enum Shape {
    /** True or false. */
    SWITCH,
    NUMBER,
    /** A word with a meaning. */
    WORD,
    /** Any text. */
    TEXT,
    NUMBERS,
    TEXTS
  }

  /** What follows the setting's name in the sentence about a value that is none. */
  public static final class Wrong extends IllegalArgumentException {
    private static final long serialVersionUID = 1L;

    public Wrong(String wanted, @Nullable Object value) {
      super("must be " + wanted + ", but is " + ("".equals(value) ? "empty" : value));
    }

    public Wrong(String predicate) {
      super(predicate);
    }
  }

  private static <T> Kind<T> number(Function<Object, T> reader) {
    return new Kind<>(reader, String::valueOf, Shape.NUMBER);
  }

  /** Whole numbers from {@code least} on. */
  public static Kind<Integer> whole(int least) {
    return number(value -> wholeOf(value, least, Integer.MAX_VALUE));
  }

  /** Whole numbers from {@code least} to {@code most}. */
  public static Kind<Integer> whole(int least, int most) {
    return number(value -> wholeOf(value, least, most));
  }

  private static int wholeOf(Object value, int least, int most) {
    BigInteger number = integer(value);
    if (number == null) {
      throw new Wrong("a whole number", value);
    }
    if (number.compareTo(BigInteger.valueOf(least)) < 0
        || number.compareTo(BigInteger.valueOf(most)) > 0) {
      boolean open = most == Integer.MAX_VALUE && number.signum() <= 0;
      throw new Wrong(open ? "at least " + least : "from " + least + " to " + most, value);
    }
    return number.intValue();
  }

  /** Seeds as torch takes them: those from 2⁶³ on are the negative ones with the same bits. */
  public static Kind<Long> seed() {
    return number(
        value -> {
          BigInteger seed = integer(value);
          if (seed == null || seed.compareTo(LEAST_SEED) < 0 || seed.compareTo(END_OF_SEEDS) >= 0) {
            throw new Wrong(
                "a whole number from "
                    + LEAST_SEED
                    + " to "
                    + END_OF_SEEDS.subtract(BigInteger.ONE),
                value);
          }
          return seed.longValue();
        });
  }

  private static @Nullable BigInteger integer(Object value) {
    boolean whole = value instanceof Integer || value instanceof Long || value instanceof Short;
    boolean written = whole || value instanceof BigInteger || value instanceof CharSequence;
    String text = written ? value.toString() : "";
    return WHOLE.matcher(text).matches() ? new BigInteger(text) : null;
  }

  /** Finite numbers. */
  public static Kind<Double> number() {
    return number(
        value -> {
          double number = numberOf(value);
          if (!Double.isFinite(number)) {
            throw new Wrong("finite", value);
          }
          return number;
        });
  }

  /** Numbers from {@code least} to {@code most}. */
  public static Kind<Double> number(int least, int most) {
    return number(
        value -> {
          double number = numberOf(value);
          if (!(number >= least && number <= most)) {
            throw new Wrong("from " + least + " to " + most, value);
          }
          return number;
        });
  }

  private static double numberOf(Object value) {
    try {
      return value instanceof Number number
          ? number.doubleValue()
          : Double.parseDouble(value.toString());
    } catch (NumberFormatException e) {
      throw new Wrong("a number", value);
    }
  }

  /** True or false. */
  public static Kind<Boolean> truth() {
    Function<Object, Boolean> reader =
        value ->
            switch (value.toString()) {
              case "true" -> true;
              case "false" -> false;
              default -> throw new Wrong("true or false", value);
            };
    return new Kind<>(reader, String::valueOf, Shape.SWITCH);
  }

  /** Texts as they are. */
  public static Kind<String> string() {
    Function<Object, String> reader =
        value -> {
          if (value instanceof CharSequence text) {
            return text.toString();
          }
          throw new Wrong("a text", value);
        };
    return new Kind<>(reader, Function.identity(), Shape.TEXT);
  }

  /** Texts that {@code check} lets pass; it throws as the parser of {@link #parsed} does. */
  public static Kind<String> checked(Consumer<String> check) {
    Function<Object, String> reader =
        value -> {
          String text = string().reader.apply(value);
          try {
            check.accept(text);
            return text;
          } catch (IllegalArgumentException e) {
            throw e instanceof Wrong wrong ? wrong : new Wrong(String.valueOf(e.getMessage()));
          }
        };
    return new Kind<>(reader, Function.identity(), Shape.TEXT);
  }

  /** Texts that are not blank. */
  public static Kind<String> name() {
    Function<Object, String> reader =
        value -> {
          if (value.toString().isBlank()) {
            throw new Wrong("is empty");
          }
          return value.toString();
        };
    return new Kind<>(reader, Function.identity(), Shape.TEXT);
  }

  /** Paths of files and folders. */
  public static Kind<Path> path() {
    Function<Object, Path> reader =
        value -> {
          try {
            return value instanceof Path path ? path : Path.of(name().reader.apply(value));
          } catch (InvalidPathException e) {
            throw new Wrong("is no path: " + e.getReason());
          }
        };
    return new Kind<>(reader, Path::toString, Shape.TEXT);
  }

  /** Pictures: their files, the bytes of those, or pixels. */
  public static Kind<Picture> picture() {
    Function<Object, Picture> reader =
        value -> {
          if (value instanceof Picture picture) {
            return picture;
          } else if (value instanceof BufferedImage pixels) {
            return Picture.of(pixels);
          }
          return value instanceof byte[] bytes
              ? Picture.of(bytes)
              : Picture.of(path().reader.apply(value));
        };
    return new Kind<>(reader, Picture::toString, Shape.TEXT);
  }

  /** An enum's constants, by their names in lower case. */
  public static <E extends Enum<E>> Kind<E> oneOf(Class<E> type) {
    Map<String, E> names = new LinkedHashMap<>();
    Arrays.stream(type.getEnumConstants()).forEach(one -> names.put(lower(one), one));
    return parsed(
        type,
        text -> {
          E constant = names.get(text.toLowerCase(Locale.ROOT));
          if (constant == null) {
            throw new Wrong(enumeration(List.copyOf(names.keySet())), text);
          }
          return constant;
        },
        Kind::lower);
  }

  private static String lower(Enum<?> constant) {
    return constant.name().toLowerCase(Locale.ROOT);
  }

  /** {@code a, b or c}. */
  private static String enumeration(List<String> words) {
    int last = words.size() - 1;
    return last == 0
        ? words.get(0)
        : String.join(", ", words.subList(0, last)) + " or " + words.get(last);
  }

  /**
   * Values with a notation of their own.
   *
   * @param parser throws IllegalArgumentException for what is none, with what follows the name
   */
  public static <T> Kind<T> parsed(
      Class<T> type, Function<String, T> parser, Function<T, String> text) {
    Function<Object, T> reader =
        value -> {
          try {
            // a value is checked too: not each of its type need be one
            return parser.apply(type.isInstance(value) ? text.apply(type.cast(value)) : "" + value);
          } catch (Wrong e) {
            throw e;
          } catch (IllegalArgumentException e) {
            throw new Wrong(String.valueOf(e.getMessage()));
          }
        };
    return new Kind<>(reader, text, Shape.WORD);
  }

  /** Several; one alone may be given without a list. */
  public static <E> Kind<List<E>> listOf(Kind<E> element) {
    Function<Object, List<E>> reader =
        value -> {
          Collection<?> several = value instanceof Collection<?> many ? many : List.of(value);
          return several.stream().map(one -> element.reader.apply(one)).toList();
        };
    return new Kind<>(
        reader, String::valueOf, element.shape == Shape.TEXT ? Shape.TEXTS : Shape.NUMBERS);
  }
}
