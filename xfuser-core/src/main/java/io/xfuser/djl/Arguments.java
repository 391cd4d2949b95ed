package io.xfuser.djl;

import io.xfuser.config.XFuserArgs;
import io.xfuser.failure.ArgumentException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * The arguments of DJL's criteria, as flags.
 *
 * @param values by the name of the flag: a number or text, a collection of them, or, for a switch,
 *     a boolean
 */
record Arguments(Map<String, ?> values) {
  /**
   * Checks the names; dashes and underscores are the same.
   *
   * @throws ArgumentException for the first that is not {@code known}
   */
  void requireNames(Set<String> known) {
    for (String name : new TreeSet<>(values.keySet())) {
      if (!known.contains(name.replace('-', '_'))) {
        throw new ArgumentException(
            "the criteria have the argument "
                + name
                + ", but only "
                + new TreeSet<>(known)
                + " have a meaning here");
      }
    }
  }

  /**
   * What they say.
   *
   * @throws ArgumentException as {@link XFuserArgs#parse} does
   */
  XFuserArgs parse() {
    List<String> argv = new ArrayList<>(List.of("--prompt=any")); // the requests bring theirs
    values.forEach(
        (name, value) -> {
          String flag = "--" + name;
          if (value == null) {
            throw new ArgumentException("the criteria's argument " + name + " has no value");
          }
          if (value instanceof Collection<?> several) {
            argv.add(flag);
            several.forEach(one -> argv.add(String.valueOf(one)));
          } else if (String.valueOf(value).equals("true")) {
            argv.add(flag);
          } else if (!String.valueOf(value).equals("false")) {
            argv.add(flag + "=" + value);
          }
        });
    try {
      return XFuserArgs.parse(argv.toArray(String[]::new));
    } catch (ArgumentException e) { // here nobody writes dashes
      throw new ArgumentException(String.valueOf(e.getMessage()).replaceAll("--(?=[a-z])", ""));
    }
  }
}
