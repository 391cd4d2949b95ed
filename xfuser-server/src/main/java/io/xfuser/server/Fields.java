package io.xfuser.server;

import io.xfuser.config.InputConfig;
import io.xfuser.config.Setting;
import io.xfuser.failure.ModelException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The names of a request's fields, by which clients are told what is wrong.
 *
 * @param given in the request
 */
record Fields(Set<String> given) {
  private static final Pattern WORD = Pattern.compile("\\w+");

  /** What clients may call a setting of the library, by its name there. */
  private static final Map<String, List<String>> NAMES = names();

  private static Map<String, List<String>> names() {
    Map<String, List<String>> all = new HashMap<>();
    for (Setting<?> setting : InputConfig.SETTINGS) {
      all.put(setting.name(), List.of(setting.name()));
    }
    all.put(InputConfig.NUM_IMAGES_PER_PROMPT.name(), List.of("n", "num_images_per_prompt"));
    all.put(InputConfig.IMAGE.name(), List.of("image", "images"));
    all.put(InputConfig.MASK_IMAGE.name(), List.of("mask", "mask_image"));
    all.put(InputConfig.GUIDANCE_SCALE.name(), List.of("guidance_scale", "cfg"));
    all.put(InputConfig.WIDTH.name(), List.of("width", "size"));
    all.put(InputConfig.HEIGHT.name(), List.of("height", "size"));
    all.put(InputConfig.NUM_FRAMES.name(), List.of("num_frames", "seconds"));
    return Map.copyOf(all);
  }

  /**
   * What {@code judging} returns.
   *
   * @throws Refusal for what it cannot do, with the field that its sentence names
   */
  <T> T judge(Supplier<T> judging) {
    try {
      return judging.get();
    } catch (IllegalArgumentException | ModelException e) {
      throw told(e);
    }
  }

  /** What the client is told of {@code failure}: with the field, if it is about one. */
  Refusal told(Throwable failure) {
    Refusal refusal = Refusal.of(failure);
    return refusal.status() == Refusal.BAD_REQUEST
        ? refusal.about(named(String.valueOf(refusal.getMessage())))
        : refusal;
  }

  /** The first field of the request that {@code sentence} names, else the first of any request. */
  private @Nullable String named(String sentence) {
    List<String> names =
        WORD.matcher(sentence)
            .results()
            .map(word -> NAMES.get(word.group()))
            .filter(Objects::nonNull)
            .map(all -> all.stream().filter(given::contains).findFirst().orElse(all.get(0)))
            .toList();
    return names.stream()
        .filter(given::contains)
        .findFirst()
        .orElse(names.isEmpty() ? null : names.get(0));
  }
}
