package io.xfuser.models.internal.text;

import io.xfuser.failure.ModelException;
import io.xfuser.model.PipelineComponents;
import io.xfuser.models.internal.text.TextModelProvider.Ability;
import io.xfuser.weights.ComponentConfig;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * A width of texts that a transformer takes, and which text encoders give them, side by side.
 *
 * @param setting what the transformer's {@code config.json} calls it
 * @param taken the width
 * @param padded whether narrower texts are padded to it
 * @param layers how many states of each text encoder stand side by side
 * @param given what is asked of each text encoder, by what follows {@code text_encoder} in its name
 */
public record TextWidth(
    String setting, int taken, boolean padded, int layers, Map<String, Ability> given) {
  /** Copies the map, in the order in which the encoders stand. */
  public TextWidth {
    given = new TreeMap<>(given);
  }

  /** A width that texts must have. */
  public static TextWidth of(String setting, int taken, Map<String, Ability> given) {
    return new TextWidth(setting, taken, false, 1, given);
  }

  /** One that so many states of each text encoder must have together. */
  public static TextWidth of(String setting, int taken, int layers, Map<String, Ability> given) {
    return new TextWidth(setting, taken, false, layers, given);
  }

  /** A width that texts are padded to. */
  public static TextWidth atMost(String setting, int taken, Map<String, Ability> given) {
    return new TextWidth(setting, taken, true, 1, given);
  }

  /**
   * Compares it with what the encoders' settings say, unless one of them is absent.
   *
   * @throws ModelException if it is another, naming the files, their settings and the numbers
   */
  public void check(PipelineComponents components) {
    List<String> said = new ArrayList<>();
    List<TextSizes.Width> widths = new ArrayList<>();
    for (Map.Entry<String, Ability> part : given.entrySet()) {
      String name = TextComponents.ENCODER + part.getKey();
      if (!components.has(name)) {
        return;
      }
      TextSizes.Width width = TextComponents.sizes(components, name).widths().get(part.getValue());
      if (width == null) {
        return; // an encoder whose settings do not say it
      }
      widths.add(width);
      said.add(
          "%s: %s is %d"
              .formatted(settings(components, name).origin(), width.setting(), width.value()));
    }
    requireOrder(components, widths);
    int sum = layers * widths.stream().mapToInt(TextSizes.Width::value).sum();
    if (padded ? sum > taken : sum != taken) {
      throw new ModelException(
          "%s: %s is %d, but %s%s"
              .formatted(
                  settings(components, "transformer").origin(),
                  setting,
                  taken,
                  String.join(" and ", said),
                  said.size() * layers > 1 ? ", together " + sum : ""));
    }
  }

  /**
   * Refuses encoders that were given in one another's places, which a sum does not show: no model's
   * first encoder is wider than its second.
   */
  private void requireOrder(PipelineComponents components, List<TextSizes.Width> widths) {
    List<String> names = given.keySet().stream().map(TextComponents.ENCODER::concat).toList();
    if (names.stream().noneMatch(components.given()::containsKey)) {
      return;
    }
    for (int i = 1; i < widths.size(); i++) {
      if (widths.get(i).value() < widths.get(i - 1).value()) {
        throw new ModelException(
            "%s and %s stand in each other's place: %s is %d of the first and %d of the second"
                .formatted(
                    names.get(i - 1),
                    names.get(i),
                    widths.get(i).setting(),
                    widths.get(i - 1).value(),
                    widths.get(i).value()));
      }
    }
  }

  private static ComponentConfig settings(PipelineComponents components, String name) {
    return components.config(name, EncoderFolder.CONFIG);
  }
}
