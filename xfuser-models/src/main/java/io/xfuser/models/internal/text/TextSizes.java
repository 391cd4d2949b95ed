package io.xfuser.models.internal.text;

import io.xfuser.models.internal.text.TextModelProvider.Ability;
import java.util.Map;

/**
 * What a text encoder's settings say of what it takes and gives.
 *
 * @param vocabulary {@code vocab_size}: ids of tokens are less
 * @param widths of what it is asked by each of its abilities that gives something
 * @param layers whose hidden states it may be asked; 0 if the settings do not say
 */
public record TextSizes(int vocabulary, Map<Ability, Width> widths, int layers) {
  public TextSizes {
    widths = Map.copyOf(widths);
  }

  /** Of an encoder whose settings do not say how many layers it has. */
  public TextSizes(int vocabulary, Map<Ability, Width> widths) {
    this(vocabulary, widths, 0);
  }

  /**
   * The length of a vector.
   *
   * @param setting what {@code config.json} calls it
   */
  public record Width(String setting, int value) {}
}
