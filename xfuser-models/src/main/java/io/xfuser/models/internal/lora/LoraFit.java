package io.xfuser.models.internal.lora;

import io.xfuser.failure.ModelException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a LoRA changes in one component.
 *
 * @param changes of a tensor, by its name
 * @param modules those of the LoRA that are of the component
 */
record LoraFit(Map<String, List<LoraChange>> changes, Set<String> modules) {
  private static final Logger LOG = LoggerFactory.getLogger(LoraFit.class);

  /**
   * Fits {@code file}, of which the user wants so much, to a component.
   *
   * @throws ModelException naming the key and both shapes, if a module that is the component's has
   *     other sizes there, or is not whole
   */
  static LoraFit of(LoraFile file, LoraTargets targets, double strength) {
    LoraFit fit = new LoraFit(new HashMap<>(), new HashSet<>());
    LoraShapes shapes = new LoraShapes(file, targets);
    for (LoraModule module : file.modules()) {
      List<LoraTargets.Rows> rows = targets.of(module);
      if (!rows.isEmpty()) {
        shapes.check(module, rows);
        fit.add(file, module, targets, strength);
      }
    }
    return fit;
  }

  private void add(LoraFile file, LoraModule module, LoraTargets targets, double strength) {
    modules.add(module.name());
    OptionalLong rank = LoraShapes.rank(file, module);
    double scale = rank.isPresent() ? file.scale(module, rank.getAsLong()) : 1;
    for (LoraTargets.Rows some : targets.of(module)) {
      LoraChange weight = new LoraChange(file, module, some, scale, strength, false);
      LoraChange bias = new LoraChange(file, module, some, scale, strength, true);
      if (module.changesWeight() || module.has(LoraPart.DIFF)) {
        add(targets.weight(some.module()), weight);
      }
      if (module.has(LoraPart.UP_BIAS) || module.has(LoraPart.DIFF_BIAS)) {
        add(some.module() + ".bias", bias);
      }
    }
  }

  /** A module may be there in two styles: as in diffusers, the one of diffusers' own counts. */
  private void add(String tensor, LoraChange change) {
    List<LoraChange> all = changes.computeIfAbsent(tensor, name -> new ArrayList<>());
    for (LoraChange other : List.copyOf(all)) {
      if (!other.module().equals(change.module()) && overlap(other.rows(), change.rows())) {
        LoraChange dropped = isDiffusers(other) ? change : other;
        LoraChange kept = isDiffusers(other) ? other : change;
        if (isDiffusers(dropped) || !isDiffusers(kept)) {
          throw new ModelException(
              "%s: \"%s\" and \"%s\" both change %s"
                  .formatted(
                      change.file().path(),
                      kept.module().example(),
                      dropped.module().example(),
                      tensor));
        }
        LOG.warn(
            "{}: \"{}\" is left out, because \"{}\" changes {} too",
            change.file().path(),
            dropped.module().example(),
            kept.module().example(),
            tensor);
        all.remove(other);
        all.add(kept);
        return;
      }
    }
    all.add(change);
  }

  private static boolean isDiffusers(LoraChange change) {
    return change.module().name().startsWith("transformer.");
  }

  private static boolean overlap(LoraTargets.Rows one, LoraTargets.Rows other) {
    return one.to() < other.to() + other.count() && other.to() < one.to() + one.count();
  }
}
