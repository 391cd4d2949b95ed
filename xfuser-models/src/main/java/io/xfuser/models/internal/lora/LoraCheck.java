package io.xfuser.models.internal.lora;

import io.xfuser.failure.ModelException;
import io.xfuser.internal.weights.Lora;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Finds out without computing whether a LoRA fits a model.
 *
 * @param model its short name
 * @param components that a LoRA may change, by their names: the shapes of their tensors
 */
public record LoraCheck(String model, Map<String, Map<String, long[]>> components) {
  private static final Logger LOG = LoggerFactory.getLogger(LoraCheck.class);

  /**
   * The components that {@code lora} changes.
   *
   * @param lenient whether what fits nothing is left out, with a warning
   * @throws ModelException in one sentence that names file and key
   */
  public Set<String> changed(Lora lora, boolean lenient) {
    try (LoraFile file = LoraFile.open(lora.file())) {
      List<LoraTargets> targets =
          components.entrySet().stream()
              .map(component -> LoraTargets.of(component.getKey(), component.getValue()))
              .toList();
      requireMost(file, targets);
      Set<String> fitting = new HashSet<>();
      Set<String> changed = new HashSet<>();
      for (LoraTargets component : targets) {
        LoraFit fit = LoraFit.of(file, component, lora.scale());
        fitting.addAll(fit.modules());
        if (!fit.changes().isEmpty()) {
          changed.add(component.component());
        }
      }
      List<String> rest = new ArrayList<>(file.others());
      file.modules().stream()
          .filter(module -> !fitting.contains(module.name()))
          .forEach(module -> rest.add(module.example()));
      if (fitting.isEmpty()) {
        throw forAnother(file, "0 of its " + file.size(), file.modules().iterator().next());
      }
      judge(file, rest, lenient);
      return changed;
    }
  }

  /**
   * A file of whose modules, those that may be of a transformer, more than half fit nothing is for
   * another model: the others fit by chance.
   */
  private void requireMost(LoraFile file, List<LoraTargets> targets) {
    List<LoraModule> likely =
        file.modules().stream()
            .filter(module -> LoraAddress.of(module.name()).mayBeOf(LoraAddress.TRANSFORMER))
            .toList();
    List<LoraModule> others =
        likely.stream()
            .filter(module -> targets.stream().noneMatch(component -> component.has(module)))
            .toList();
    int fitting = likely.size() - others.size();
    if (fitting < others.size()) {
      throw forAnother(file, fitting + " of its " + likely.size(), others.get(0));
    }
  }

  private ModelException forAnother(LoraFile file, String fitting, LoraModule other) {
    return new ModelException(
        "%s is a LoRA for %s, not for %s: %s modules fit, \"%s\" does not"
            .formatted(file.path(), file.target(), model, fitting, other.example()));
  }

  private void judge(LoraFile file, List<String> rest, boolean lenient) {
    if (rest.isEmpty()) {
      return;
    }
    String what =
        "%s: \"%s\"%s"
            .formatted(
                file.path(),
                rest.get(0),
                rest.size() == 1 ? " fits" : " and " + (rest.size() - 1) + " others fit");
    if (!lenient) {
      throw new ModelException(
          "%s nothing in %s; lora_ignore_unknown goes on without".formatted(what, model));
    }
    LOG.warn("{} nothing in {}, of {} modules", what, model, file.size());
  }
}
