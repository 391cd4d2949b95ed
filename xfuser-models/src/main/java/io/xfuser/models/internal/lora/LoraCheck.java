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
      Set<String> fitting = new HashSet<>();
      Set<String> changed = new HashSet<>();
      components.forEach(
          (name, shapes) -> {
            LoraFit fit = LoraFit.of(file, LoraTargets.of(name, shapes), lora.scale());
            fitting.addAll(fit.modules());
            if (!fit.changes().isEmpty()) {
              changed.add(name);
            }
          });
      List<String> rest = new ArrayList<>(file.others());
      file.modules().stream()
          .filter(module -> !fitting.contains(module.name()))
          .forEach(module -> rest.add(module.example()));
      judge(file, fitting.isEmpty(), rest, lenient);
      return changed;
    }
  }

  private void judge(LoraFile file, boolean nothing, List<String> rest, boolean lenient) {
    if (nothing) {
      throw new ModelException(
          "%s is a LoRA for %s, not for %s: none of its %d modules fits, \"%s\" for example"
              .formatted(
                  file.path(), file.target(), model, file.size(), rest.get(rest.size() - 1)));
    }
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
