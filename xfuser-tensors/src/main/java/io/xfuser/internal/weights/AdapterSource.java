package io.xfuser.internal.weights;

import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * An IP-Adapter as it is asked for: {@code PLACE}, {@code PLACE:SCALE} or {@code PLACE:SCALE,…}
 * with one for each block. A colon that no number follows is a part of the place.
 *
 * @param place a file, a folder, or a name of the hub
 * @param scales what of it is added: one for all blocks, or one for each; none = as is usual for
 *     the model
 */
public record AdapterSource(String place, List<Double> scales) {
  private static final String NUMBER = "[+-]?(?:\\d+\\.?\\d*|\\.\\d+)(?:[eE][+-]?\\d+)?";
  private static final Pattern SCALED =
      Pattern.compile("(.+):(%1$s(?:,%1$s)*)".formatted(NUMBER), Pattern.DOTALL);

  public AdapterSource {
    scales = List.copyOf(scales);
  }

  /**
   * Reads {@code text}.
   *
   * @throws IllegalArgumentException with what follows the setting's name in a sentence
   */
  public static AdapterSource parse(String text) {
    if (text.isBlank()) {
      throw new IllegalArgumentException("is empty");
    }
    Matcher scaled = SCALED.matcher(text);
    if (LoraSource.exists(text) || !scaled.matches()) {
      return new AdapterSource(text, List.of());
    }
    List<Double> scales = Stream.of(scaled.group(2).split(",", -1)).map(Double::valueOf).toList();
    if (scales.stream().anyMatch(scale -> !Double.isFinite(scale))) {
      throw new IllegalArgumentException("must have finite scales, but is " + text);
    }
    return new AdapterSource(scaled.group(1), scales);
  }

  /** Throws what {@link #parse} does. */
  public static void check(String text) {
    parse(text);
  }
}
