package io.xfuser.internal.registry;

import io.xfuser.failure.ModelException;
import java.util.Collections;
import java.util.Objects;
import java.util.ServiceLoader;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/**
 * The providers of one kind, by the names of the classes that they stand for: diffusers' and
 * transformers' names, as {@code model_index.json} has them.
 *
 * @param <P> the kind, a service of {@link ServiceLoader}
 */
public final class Registry<P> {
  private final SortedMap<String, P> byClass = new TreeMap<>();

  private Registry() {}

  /**
   * All providers that the calling thread's class loader finds.
   *
   * @param classNames what a provider stands for
   * @throws ModelException if two providers stand for one class
   */
  public static <P> Registry<P> of(Class<P> kind, Function<P, Set<String>> classNames) {
    Registry<P> all = new Registry<>();
    for (P provider : ServiceLoader.load(kind)) {
      for (String name : classNames.apply(provider)) {
        P other = all.byClass.put(name, provider);
        if (other != null) {
          throw new ModelException(
              "both %s and %s stand for the class %s"
                  .formatted(other.getClass().getName(), provider.getClass().getName(), name));
        }
      }
    }
    return all;
  }

  /** The classes that there are, in the order of the alphabet. */
  public Set<String> classNames() {
    return Collections.unmodifiableSet(byClass.keySet());
  }

  /** Those of providers that {@code suit}. */
  public Set<String> classNames(Predicate<P> suit) {
    return byClass.keySet().stream()
        .filter(name -> suit.test(get(name)))
        .collect(Collectors.toUnmodifiableSet());
  }

  /** Whether something stands for {@code className}. */
  public boolean has(String className) {
    return byClass.containsKey(className);
  }

  /** What stands for {@code className}, which is one of {@link #classNames}. */
  public P get(String className) {
    return Objects.requireNonNull(byClass.get(className), className);
  }

  /**
   * What stands for {@code className}.
   *
   * @param where is said so, for the message
   * @throws ModelException naming all classes, if nothing does
   */
  public P require(String className, String where) {
    if (!has(className)) {
      throw new ModelException(
          "%s is \"%s\"; supported are %s"
              .formatted(where, className, String.join(", ", classNames())));
    }
    return get(className);
  }
}
