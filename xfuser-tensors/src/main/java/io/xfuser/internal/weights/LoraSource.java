package io.xfuser.internal.weights;

import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A LoRA as it is asked for: {@code PLACE} or {@code PLACE:SCALE}. A colon that no number follows
 * is a part of the place, as in {@code C:\loras\x.safetensors}, and so is one in the name of a file
 * that is there. {@code transformer_2=PLACE} is one for the second transformer of a model.
 *
 * @param second whether it is for that
 * @param place a file, a folder, or a name of the hub
 * @param scale what of it is added
 */
public record LoraSource(boolean second, String place, double scale) {
  private static final String SECOND = "transformer_2=";

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
    boolean second = text.startsWith(SECOND) && !exists(text);
    return second ? parse(true, text.substring(SECOND.length())) : parse(false, text);
  }

  private static LoraSource parse(boolean second, String text) {
    if (text.isBlank()) {
      throw new IllegalArgumentException("names no LoRA after " + SECOND);
    }
    if (exists(text)) {
      return new LoraSource(second, text, 1);
    }
    Matcher scaled = SCALED.matcher(text);
    if (scaled.matches()) {
      double scale = Double.parseDouble(scaled.group(2));
      if (!Double.isFinite(scale)) {
        throw new IllegalArgumentException("must have a finite scale, but is " + text);
      }
      return new LoraSource(second, scaled.group(1), scale);
    }
    if (BADLY_SCALED.matcher(text).matches()) {
      throw new IllegalArgumentException("must end with a number after its colon, but is " + text);
    }
    return new LoraSource(second, text, 1);
  }

  /** Whether {@code place} is one of this machine. */
  static boolean exists(String place) {
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
