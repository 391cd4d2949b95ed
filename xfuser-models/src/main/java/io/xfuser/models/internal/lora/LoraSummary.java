package io.xfuser.models.internal.lora;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;

/** What a LoRA is, in values that can be shown or written as JSON. */
public final class LoraSummary {
  private LoraSummary() {}

  /**
   * Whose names {@code file} has, what it is made for, and what it changes there.
   *
   * @throws io.xfuser.failure.ModelException if it is no LoRA, or one that is not supported
   */
  public static Map<String, Object> of(Path file) {
    try (LoraFile lora = LoraFile.open(file)) {
      Map<String, Object> summary = new LinkedHashMap<>();
      summary.put("style", lora.style().title());
      summary.put("made_for", lora.target());
      summary.put("ranks", lora.ranks());
      summary.put("alphas", alphas(lora));
      summary.put("modules", lora.size());
      summary.put("changes", changes(lora));
      if (!lora.others().isEmpty()) {
        summary.put("other_tensors", lora.others().stream().sorted().toList());
      }
      return summary;
    }
  }

  /** Where the file has none, alpha is the rank. */
  private static SortedSet<Double> alphas(LoraFile lora) {
    SortedSet<Double> alphas = new TreeSet<>();
    for (LoraModule module : lora.modules()) {
      LoraShapes.rank(lora, module).ifPresent(rank -> alphas.add(rank * lora.scale(module, rank)));
    }
    return alphas;
  }

  /**
   * The modules by their component, if the names tell which, blocks of other numbers being one,
   * with how many of each there are.
   */
  private static Map<String, Object> changes(LoraFile lora) {
    Map<String, Map<String, Long>> changes =
        lora.modules().stream()
            .map(module -> LoraAddress.of(module.name()))
            .collect(
                Collectors.groupingBy(
                    LoraSummary::component,
                    TreeMap::new,
                    Collectors.groupingBy(
                        address -> address.name().replaceAll("(?<![a-z])\\d+", "#"),
                        TreeMap::new,
                        Collectors.counting())));
    return new TreeMap<>(changes);
  }

  private static String component(LoraAddress address) {
    List<String> components = address.components();
    return components.size() == 1 ? components.get(0) : String.join(" or ", components);
  }
}
