package io.xfuser.models.internal.weights;

import io.xfuser.failure.ModelException;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The tensors of files by their names, with their shapes; nothing of them is read. */
public final class Tensors {
  private final Map<String, Stored> all;

  Tensors(Map<String, Stored> all) {
    this.all = all;
  }

  Map<String, Stored> stored() {
    return all;
  }

  public Set<String> names() {
    return Collections.unmodifiableSet(all.keySet());
  }

  /** Whether there is a tensor of this name. */
  public boolean has(String name) {
    return all.containsKey(name);
  }

  /** Whether the whole of a name is as {@code pattern}. */
  public boolean any(String pattern) {
    Pattern compiled = Pattern.compile(pattern);
    return all.keySet().stream().anyMatch(name -> compiled.matcher(name).matches());
  }

  /** Extent {@code dim} of the tensor {@code name}; throws {@link ModelException} if none is. */
  public int size(String name, int dim) {
    Stored tensor = all.get(name);
    if (tensor == null) {
      throw new ModelException(origin() + " has no tensor \"" + name + "\"");
    }
    long[] shape = tensor.shape();
    if (dim >= shape.length || shape[dim] < 1 || shape[dim] > Integer.MAX_VALUE) {
      throw new ModelException(
          "%s: tensor \"%s\" has the shape %s"
              .formatted(tensor.file(), name, Arrays.toString(shape)));
    }
    return (int) shape[dim];
  }

  /** Whether there is a matrix of this name, with fewer rows than columns. */
  public boolean isWide(String name) {
    Stored tensor = all.get(name);
    return tensor != null && tensor.shape().length == 2 && tensor.shape()[0] < tensor.shape()[1];
  }

  /** How many numbers, counted from 0, stand behind {@code prefix} in names. */
  public int count(String prefix) {
    int count = 0;
    while (hasBelow(prefix + count + ".")) {
      count++;
    }
    return count;
  }

  private boolean hasBelow(String prefix) {
    return all.keySet().stream().anyMatch(name -> name.startsWith(prefix));
  }

  /**
   * How many tensors of each type there are, and how many bytes of files they take.
   *
   * @param count tensors
   * @param bytes in files
   */
  public record Amount(long count, long bytes) {}

  /** The amounts by the names of types, as the files have them. */
  public Map<String, Amount> types() {
    Map<String, Amount> types = new TreeMap<>();
    for (Stored tensor : all.values()) {
      types.merge(
          tensor.typeName(),
          new Amount(1, tensor.bytes()),
          (a, b) -> new Amount(a.count() + b.count(), a.bytes() + b.bytes()));
    }
    return types;
  }

  /** Those whose names begin with {@code prefix}, without it. */
  public Tensors below(String prefix) {
    Map<String, Stored> some = new LinkedHashMap<>();
    all.forEach(
        (name, tensor) -> {
          if (name.startsWith(prefix)) {
            some.put(name.substring(prefix.length()), tensor);
          }
        });
    return new Tensors(some);
  }

  /** The file that has them. */
  public String origin() {
    return all.values().stream().findFirst().map(tensor -> tensor.file().toString()).orElse("it");
  }

  /** Other names, and other cuts, of {@code tensors}; what no rule fits keeps its name. */
  public static final class Renaming {
    private final Tensors from;
    private final Map<String, Stored> to;

    /** Nothing renamed yet. */
    public Renaming(Tensors from) {
      this.from = from;
      this.to = new LinkedHashMap<>(from.all);
    }

    /** One tensor of its own, or several that lie in it one after the other, equally many rows. */
    public Renaming rule(String pattern, String... names) {
      return each(
          pattern,
          (matcher, tensor) -> {
            long rows = tensor.shape().length == 0 ? 1 : tensor.shape()[0] / names.length;
            long[] equal = new long[names.length];
            Arrays.fill(equal, rows);
            put(matcher, tensor, equal, names);
          });
    }

    /** The same of as many rows as {@code rows} has, the last one all that are left. */
    public Renaming cut(String pattern, long rows, String... names) {
      return each(
          pattern,
          (matcher, tensor) -> {
            long[] lengths = new long[names.length];
            Arrays.fill(lengths, rows);
            lengths[names.length - 1] = tensor.shape()[0] - (names.length - 1) * rows;
            put(matcher, tensor, lengths, names);
          });
    }

    private void put(Matcher matcher, Stored tensor, long[] lengths, String... names) {
      long from = 0;
      for (int i = 0; i < names.length; i++) {
        Stored part =
            names.length == 1 ? tensor : Rows.of(tensor, new Cut(0, from, from + lengths[i]));
        to.put(expanded(matcher, names[i]), part);
        from += lengths[i];
      }
    }

    /** A tensor whose halves of rows change places. */
    public Renaming swapped(String pattern, String name) {
      return each(
          pattern,
          (matcher, tensor) -> {
            long rows = tensor.shape()[0];
            Stored first = Rows.of(tensor, new Cut(0, 0, rows / 2));
            Stored last = Rows.of(tensor, new Cut(0, rows / 2, rows));
            to.put(expanded(matcher, name), new Stacked(last, first));
          });
    }

    /** A tensor of heads of so many rows, which lie in pairs that turn together. */
    public Renaming unpaired(String pattern, String name, int head) {
      return each(
          pattern,
          (matcher, tensor) -> {
            if (tensor.shape()[0] % head != 0) {
              throw new ModelException(
                  "%s: tensor \"%s\" has %d rows, which are no heads of %d"
                      .formatted(tensor.file(), matcher.group(), tensor.shape()[0], head));
            }
            to.put(expanded(matcher, name), new Unpaired(tensor, head));
          });
    }

    /** A kernel of one pixel as a matrix. */
    public Renaming matrix(String pattern, String name) {
      return each(
          pattern, (matcher, tensor) -> to.put(expanded(matcher, name), Reshaped.matrix(tensor)));
    }

    /** An identity of {@code size} rows, of the file that has the tensor {@code beside}. */
    public Renaming identity(String beside, String name, int size) {
      to.put(name, new Identity(Objects.requireNonNull(from.all.get(beside), beside), size));
      return this;
    }

    private Renaming each(String pattern, Rule rule) {
      Pattern compiled = Pattern.compile(pattern);
      from.all.forEach(
          (name, tensor) -> {
            Matcher matcher = compiled.matcher(name);
            if (matcher.matches()) {
              if (tensor.shape().length == 0 || tensor.shape()[0] == 0) {
                throw new ModelException(
                    "%s: tensor \"%s\" has the shape %s"
                        .formatted(tensor.file(), name, Arrays.toString(tensor.shape())));
              }
              to.remove(name, tensor);
              rule.apply(matcher, tensor);
            }
          });
      return this;
    }

    private static String expanded(Matcher matcher, String name) {
      StringBuilder text = new StringBuilder();
      Matcher again = matcher.pattern().matcher(matcher.group());
      if (again.find()) {
        again.appendReplacement(text, name);
      }
      return text.toString();
    }

    public Tensors done() {
      return new Tensors(to);
    }

    private interface Rule {
      void apply(Matcher matcher, Stored tensor);
    }
  }
}
