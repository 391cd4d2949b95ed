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
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The names of a request's fields, by which clients are told what is wrong.
 *
 * @param given in the request
 */
record Fields(Set<String> given) {
  private static final Pattern WORD = Pattern.compile("\\w+");

  /** What clients may call a setting of the library, by its name there. */
  private static final Map<String, List<String>> NAMES = names();

  /** Fields with numbers of which a picture can become infinite. */
  private static final Set<String> NUMBERS = numbers();

  private static Map<String, List<String>> names() {
    Map<String, List<String>> all = new HashMap<>();
    for (Setting<?> setting : InputConfig.SETTINGS) {
      all.put(setting.name(), List.of(setting.name()));
    }
    all.put(InputConfig.NUM_IMAGES_PER_PROMPT.name(), List.of("n", "num_images_per_prompt"));
    all.put(InputConfig.IMAGE.name(), List.of("image", "images", "input_reference")); // OpenAI's
    all.put(InputConfig.MASK_IMAGE.name(), List.of("mask", "mask_image"));
    all.put(InputConfig.GUIDANCE_SCALE.name(), List.of("guidance_scale", "cfg"));
    all.put(InputConfig.WIDTH.name(), List.of("width", "size"));
    all.put(InputConfig.HEIGHT.name(), List.of("height", "size"));
    all.put(InputConfig.NUM_FRAMES.name(), List.of("num_frames", "seconds"));
    return Map.copyOf(all);
  }

  private static Set<String> numbers() {
    return Stream.concat(
            Stream.of(InputConfig.LORA), // with its scale
            InputConfig.SETTINGS.stream().filter(setting -> takes(setting, 0.5)))
        .flatMap(setting -> NAMES.getOrDefault(setting.name(), List.of()).stream())
        .collect(Collectors.toUnmodifiableSet());
  }

  /** Whether {@code number} is a value of {@code setting}, or one of its list, as it is. */
  static boolean takes(Setting<?> setting, double number) {
    try {
      Object value = setting.read(setting.isList() ? List.of(number) : number);
      Object one = value instanceof List<?> list ? list.get(0) : value;
      return one instanceof Double read && read == number;
    } catch (IllegalArgumentException e) {
      return false; // whole numbers and words
    }
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
  private Refusal told(Throwable failure) {
    Refusal refusal = Refusal.of(failure);
    if (refusal.status() == Refusal.BAD_REQUEST) {
      List<String> named = named(refusal.reason());
      return refusal.about(
          named.stream()
              .filter(given::contains)
              .findFirst()
              .orElse(named.isEmpty() ? null : named.get(0)));
    }
    return chosen(refusal, failure);
  }

  /**
   * The same for a request that was judged right and failed while it was drawn. Then it is the
   * client's fault only if it gave a field that the sentence names, or a number that pictures
   * depend on.
   */
  Refusal drawing(Throwable failure) {
    Refusal refusal = Refusal.of(failure);
    if (refusal.status() != Refusal.BAD_REQUEST) {
      return chosen(refusal, failure);
    }
    List<String> numbers = given.stream().filter(NUMBERS::contains).sorted().toList();
    return named(refusal.reason()).stream()
        .filter(given::contains)
        .findFirst()
        .map(refusal::about)
        .orElseGet(
            () ->
                numbers.isEmpty()
                    ? refusal.as(Refusal.INTERNAL, null)
                    : refusal.about(numbers.size() == 1 ? numbers.get(0) : null));
  }

  /** A LoRA that the client has chosen, and that does not fit the model. */
  private Refusal chosen(Refusal refusal, Throwable failure) {
    boolean lora = given.contains(InputConfig.LORA.name());
    return lora && Refusal.cause(failure) instanceof ModelException
        ? refusal.as(Refusal.BAD_REQUEST, InputConfig.LORA.name())
        : refusal;
  }

  /** The field in which the client gave {@code setting}, or would have. */
  String of(Setting<?> setting) {
    return first(NAMES.getOrDefault(setting.name(), List.of(setting.name())));
  }

  /** The first of {@code names} that the client gave, else the first. */
  String first(List<String> names) {
    return names.stream().filter(given::contains).findFirst().orElse(names.get(0));
  }

  /** The fields that {@code sentence} names, in its order. */
  private List<String> named(String sentence) {
    return WORD.matcher(sentence)
        .results()
        .map(word -> NAMES.get(word.group()))
        .filter(Objects::nonNull)
        .map(this::first)
        .toList();
  }
}
