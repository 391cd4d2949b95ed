package io.xfuser.internal.weights;

import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A LoRA as it is asked for: {@code PLACE} or {@code PLACE:SCALE}. A colon that no number follows
 * is a part of the place, as in {@code C:\loras\x.safetensors}, and so is one in the name of a file
 * that is there.
 *
 * @param place a file, a folder, or a name of the hub
 * @param scale what of it is added
 */
public record LoraSource(String place, double scale) {
  private static final Pattern SCALED =
      Pattern.compile("(.+):([+-]?(?:\\d+\\.?\\d*|\\.\\d+)(?:[eE][+-]?\\d+)?)", Pattern.DOTALL);

  private static final Pattern BADLY_SCALED =
      Pattern.compile(".+\\.safetensors:[^:/\\\\]*", Pattern.DOTALL);

  /**
   * Reads {@code text}.
   *
   * @throws IllegalArgumentException with what follows the setting's name in a sentence
   */
  public static LoraSource parse(String text) {
    if (text.isBlank()) {
      throw new IllegalArgumentException("is empty");
    }
    if (exists(text)) {
      return new LoraSource(text, 1);
    }
    Matcher scaled = SCALED.matcher(text);
    if (scaled.matches()) {
      double scale = Double.parseDouble(scaled.group(2));
      if (!Double.isFinite(scale)) {
        throw new IllegalArgumentException("must have a finite scale, but is " + text);
      }
      return new LoraSource(scaled.group(1), scale);
    }
    if (BADLY_SCALED.matcher(text).matches()) {
      throw new IllegalArgumentException("must end with a number after its colon, but is " + text);
    }
    return new LoraSource(text, 1);
  }

  private static boolean exists(String place) {
    try {
      return Files.exists(Path.of(place));
    } catch (InvalidPathException e) {
      return false;
    }
  }

  /** Throws what {@link #parse} does. */
  public static void check(String text) {
    parse(text);
  }
}
