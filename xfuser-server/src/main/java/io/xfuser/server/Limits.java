package io.xfuser.server;

import io.xfuser.config.InputConfig;
import io.xfuser.config.Setting;
import io.xfuser.failure.ArgumentException;
import io.xfuser.model.GenerationRequest;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** What requests may ask for, as the server's settings have it. */
final class Limits {
  /** As OpenAI's API has it. */
  private static final int MOST_PARTIAL = 3;

  private final ServerSettings settings;
  private final Map<String, String> loras = new LinkedHashMap<>();

  Limits(ServerSettings settings) {
    this.settings = settings;
    List<String> offered = settings.get(ServerSettings.OFFER_LORA);
    for (String lora : offered == null ? List.<String>of() : offered) {
      String[] parts = lora.split("=", 2);
      if (parts.length < 2 || parts[0].isBlank() || parts[1].isBlank()) {
        throw new ArgumentException("offer_lora must be NAME=FILE, but is " + lora);
      }
      loras.put(parts[0], parts[1]);
    }
  }

  /**
   * Refuses what is too long, too many or too large before any of it is computed.
   *
   * @param fields that the client has sent
   */
  void check(InputConfig input, Fields fields) {
    int longest = settings.value(ServerSettings.MAX_PROMPT_LENGTH);
    for (Setting<List<String>> texts :
        List.of(
            InputConfig.PROMPT,
            InputConfig.NEGATIVE_PROMPT,
            InputConfig.PROMPT_2,
            InputConfig.PROMPT_3,
            InputConfig.NEGATIVE_PROMPT_2,
            InputConfig.NEGATIVE_PROMPT_3)) {
      List<String> given = input.get(texts);
      for (String text : given == null ? List.<String>of() : given) {
        most(texts.name(), "letters", text.length(), longest);
      }
    }
    most(
        fields.of(InputConfig.NUM_IMAGES_PER_PROMPT),
        "pictures",
        drawn(input),
        settings.value(ServerSettings.MAX_PICTURES));
    Integer shown = input.get(InputConfig.PARTIAL_IMAGES);
    most(
        InputConfig.PARTIAL_IMAGES.name(),
        "unfinished pictures",
        shown == null ? 0 : shown,
        MOST_PARTIAL);
    Integer steps = input.numInferenceSteps();
    if (steps != null) {
      int most = settings.value(ServerSettings.MAX_STEPS);
      most(InputConfig.NUM_INFERENCE_STEPS.name(), "steps", steps, most);
    }
    pixels(input.width(), input.height(), fields);
  }

  /** How many pictures {@code input} asks for. */
  static int pictures(InputConfig input) {
    return Math.toIntExact(drawn(input));
  }

  private static long drawn(InputConfig input) {
    long each = Math.max(1, Math.max(input.prompts().size(), input.classLabels().size()));
    return each * input.numImagesPerPrompt();
  }

  private void pixels(@Nullable Integer width, @Nullable Integer height, Fields fields) {
    long area = (width == null ? 1L : width) * (height == null ? 1L : height);
    String field = fields.first(List.of("size", "width", "height", "image", "images"));
    most(field, "pixels", area, settings.value(ServerSettings.MAX_PIXELS));
  }

  /** The same for what the model makes of it. */
  void check(GenerationRequest request, Fields fields) {
    pixels(request.size().width(), request.size().height(), fields);
    pixels(request.output().width(), request.output().height(), fields);
  }

  private static void most(String field, String what, long asked, long most) {
    if (asked > most) {
      throw Refusal.badField(
          field,
          "no more than %d %s are drawn or read here, but %s has %d"
              .formatted(most, what, field, asked));
    }
  }

  /**
   * The places of the LoRAs that a field names: a name, a list of them, or {@code {"name",
   * "scale"}}. A place that a client writes is refused: the server would read it.
   */
  @Nullable List<String> loras(@Nullable Object field) {
    if (field == null) {
      return null;
    }
    List<String> places = new ArrayList<>();
    for (Object one : field instanceof List<?> list ? list : List.of(field)) {
      Map<?, ?> lora = one instanceof Map<?, ?> map ? map : Map.of("name", String.valueOf(one));
      String place = loras.get(String.valueOf(lora.get("name")));
      if (place == null) {
        throw Refusal.badField(
            "lora",
            loras.isEmpty()
                ? "no LoRAs are offered here"
                : "lora must be one of %s, but is %s"
                    .formatted(String.join(", ", loras.keySet()), lora.get("name")));
      }
      Object scale = lora.get("scale");
      places.add(scale instanceof Number number ? place + ":" + number.doubleValue() : place);
    }
    return places;
  }

  /** Names of the LoRAs that requests may choose. */
  Stream<String> offered() {
    return loras.keySet().stream();
  }
}
