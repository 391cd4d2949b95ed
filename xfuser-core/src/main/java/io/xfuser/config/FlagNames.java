package io.xfuser.config;

import java.util.Set;
import java.util.TreeSet;
import picocli.CommandLine.Model.CommandSpec;

/** The flags' names, without the dashes in front, for those who take them from elsewhere. */
public final class FlagNames {
  private FlagNames() {}

  /** Flags that say how a pipeline is computed, whatever is asked of it. */
  public static Set<String> engine() {
    Set<String> names = names(new ParallelFlags());
    names.addAll(names(new RuntimeFlags()));
    names.remove("launcher"); // not the pipeline's, but the runner's
    names.add("variant");
    return names;
  }

  /** Flags that describe the picture, but for the prompt. */
  public static Set<String> input() {
    Set<String> names = names(new InputFlags());
    names.remove("prompt");
    return names;
  }

  private static Set<String> names(Object flags) {
    Set<String> names = new TreeSet<>();
    CommandSpec.forAnnotatedObject(flags).optionsMap().keySet().stream()
        .map(name -> name.replaceFirst("^-+", ""))
        .forEach(names::add);
    return names;
  }
}
