package io.xfuser.server;

import io.xfuser.config.InputConfig;
import io.xfuser.config.InputConfigBuilder;
import io.xfuser.config.Kind;
import io.xfuser.config.Picture;
import io.xfuser.config.Setting;
import io.xfuser.internal.picture.ClearMask;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ThreadLocalRandom;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;

/**
 * What a client asks for.
 *
 * @param fields that it has
 * @param input what is drawn; with a seed for each picture
 * @param format how pictures are encoded
 * @param byUrl whether pictures are kept and told by their addresses
 * @param stream whether the answer is a stream of events
 * @param deadlineMillis after which they are of no use; 0 = never
 */
record DrawRequest(
    Fields fields,
    InputConfig input,
    ImageFormat.Encoding format,
    boolean byUrl,
    boolean stream,
    long deadlineMillis) {
  /**
   * Fields that are no settings of a request of the library, in the order in which they are told.
   */
  static final Setting<Integer> N =
      Setting.of("n", Kind.whole(1), "N", "Pictures of the prompt").or(1);

  static final Setting<String> SIZE =
      Setting.of("size", Kind.string(), "SIZE", "WIDTHxHEIGHT in pixels, or auto")
          .or("auto", "auto, the model's own");

  static final Setting<Answer> RESPONSE_FORMAT =
      Setting.of(
              "response_format",
              Kind.oneOf(Answer.class),
              "FORM",
              "b64_json: pictures in the answer; url: their addresses, which are forgotten later")
          .or(Answer.B64_JSON);

  static final Setting<Boolean> STREAM =
      Setting.off("stream", "Answer by server-sent events, as OpenAI's API has them");

  static final Setting<Integer> DEADLINE_MS =
      Setting.of(
              "deadline_ms",
              Kind.whole(1),
              "MILLISECONDS",
              "After which the pictures are of no use: the request is then answered 504")
          .open("none");

  static final List<Setting<?>> OWN =
      List.of(
          N,
          SIZE,
          RESPONSE_FORMAT,
          ImageFormat.OUTPUT_FORMAT,
          ImageFormat.OUTPUT_COMPRESSION,
          STREAM,
          DEADLINE_MS);

  /** Settings of a request that clients may not have, or not as the library takes them. */
  static final List<Setting<?>> WITHHELD =
      List.of(
          InputConfig.OUTPUT_TYPE,
          InputConfig.IMAGE,
          InputConfig.MASK_IMAGE,
          InputConfig.LAST_IMAGE,
          InputConfig.IP_ADAPTER_IMAGE,
          InputConfig.NEGATIVE_IP_ADAPTER_IMAGE,
          InputConfig.LORA);

  private static final Pattern PIXELS = Pattern.compile("(\\d{1,6})\\s*[xX×*]\\s*(\\d{1,6})");

  /** A data URL; or base64 alone, as PNG, JPEG and WebP begin in it: a path is neither. */
  private static final Pattern BASE64 =
      Pattern.compile("(?s)\\s*(?:(?i:data:[^,]*;base64,)|(?=iVBORw0KGgo|/9j/|UklGR))(.*)");

  /** How pictures are answered. */
  enum Answer {
    B64_JSON,
    URL
  }

  /**
   * Reads {@code form}.
   *
   * @throws Refusal for what is wrong with it
   */
  static DrawRequest of(Form form, Limits limits) {
    InputConfigBuilder input = InputConfig.builder();
    for (Setting<?> setting : InputConfig.SETTINGS) {
      if (!WITHHELD.contains(setting)) {
        set(input, setting, form.get(setting));
      }
    }
    Integer n = form.get(N);
    if (n != null) {
      set(input, InputConfig.NUM_IMAGES_PER_PROMPT, n);
    }
    size(form, input);
    pictures(form, input);
    set(input, InputConfig.LORA, limits.loras(form.fields().get(InputConfig.LORA.name())));
    boolean stream = form.getOr(STREAM, false);
    if (!stream) { // nobody would see them
      input.set(InputConfig.PARTIAL_IMAGES, null);
      input.set(InputConfig.PREVIEW_EVERY, null);
    }
    Fields fields = form.given();
    InputConfig whole = fields.judge(input::build);
    limits.check(whole, fields);
    return new DrawRequest(
        fields,
        seeded(whole, form),
        ImageFormat.Encoding.of(form),
        form.getOr(RESPONSE_FORMAT, Answer.B64_JSON) == Answer.URL,
        stream,
        Objects.requireNonNullElse(form.get(DEADLINE_MS), 0));
  }

  /** The same for another input. */
  DrawRequest with(InputConfig other) {
    return new DrawRequest(fields, other, format, byUrl, stream, deadlineMillis);
  }

  private static void set(InputConfigBuilder input, Setting<?> setting, @Nullable Object value) {
    if (value != null) {
      set(input, setting, setting.name(), value);
    }
  }

  private static void set(
      InputConfigBuilder input, Setting<?> setting, String field, Object value) {
    try {
      input.set(setting, value);
    } catch (IllegalArgumentException e) {
      throw Refusal.badField(field, String.valueOf(e.getMessage()));
    }
  }

  /**
   * With a seed for each picture, counted from the one that was given, or else drawn: so each can
   * be drawn again alone, by what its file tells.
   */
  private static InputConfig seeded(InputConfig input, Form form) {
    if (!input.seeds().isEmpty()) {
      return input;
    }
    Long given = form.get(InputConfig.SEED);
    long first = given == null ? ThreadLocalRandom.current().nextLong(1L << 32) : given; // as tools
    int pictures = Limits.pictures(input);
    List<Long> seeds = LongStream.range(0, pictures).mapToObj(i -> first + i).toList();
    return pictures == 1
        ? input.toBuilder().seed(first).build()
        : input.toBuilder().set(InputConfig.SEED, null).seeds(seeds).build();
  }

  /** Width and height are told apart, or together as size; what is told apart counts. */
  private static void size(Form form, InputConfigBuilder input) {
    String size = form.getOr(SIZE, "auto").trim();
    if (size.equals("auto") || form.get(InputConfig.WIDTH) != null) {
      return;
    }
    Matcher pixels = PIXELS.matcher(size);
    if (!pixels.matches()) {
      throw Refusal.badField(
          SIZE.name(), "size must be auto or WIDTHxHEIGHT, 512x512 for example, but is " + size);
    }
    if (form.get(InputConfig.HEIGHT) == null) {
      set(input, InputConfig.WIDTH, SIZE.name(), Integer.valueOf(pixels.group(1)));
      set(input, InputConfig.HEIGHT, SIZE.name(), Integer.valueOf(pixels.group(2)));
    }
  }

  /**
   * A file of a form, or base64 in JSON: never a path or an address, which the server would read.
   */
  private static void pictures(Form form, InputConfigBuilder input) {
    for (Setting<?> several :
        List.of(
            InputConfig.IMAGE,
            InputConfig.IP_ADAPTER_IMAGE,
            InputConfig.NEGATIVE_IP_ADAPTER_IMAGE)) {
      List<Picture> shown = pictures(form, form.given().of(several));
      set(input, several, shown.isEmpty() ? null : shown);
    }
    set(input, InputConfig.MASK_IMAGE, mask(picture(form, "mask")));
    set(input, InputConfig.LAST_IMAGE, picture(form, InputConfig.LAST_IMAGE.name()));
    if (form.fields().containsKey("mask_image") || form.files().containsKey("mask_image")) {
      set(input, InputConfig.MASK_IMAGE, picture(form, "mask_image"));
    }
  }

  /** As OpenAI has it: what is clear is drawn anew. */
  private static @Nullable Picture mask(@Nullable Picture given) {
    try {
      return given == null ? null : ClearMask.of(given);
    } catch (RuntimeException e) { // Java's readers throw many kinds for broken files
      throw Refusal.badField("mask", "the mask cannot be read: " + e.getMessage());
    }
  }

  private static @Nullable Picture picture(Form form, String field) {
    List<Picture> all = pictures(form, field);
    if (all.size() > 1) {
      throw Refusal.badField(field, "a request has one " + field + ", but there are several");
    }
    return all.isEmpty() ? null : all.get(0);
  }

  private static List<Picture> pictures(Form form, String field) {
    List<byte[]> all = new ArrayList<>(form.files().getOrDefault(field, List.of()));
    Object written = form.fields().get(field);
    if (all.isEmpty() && written != null) {
      boolean several = written instanceof List<?> list && !list.isEmpty();
      for (Object one : several ? (List<?>) written : List.of(written)) {
        all.add(decoded(field, text(one)));
      }
    }
    if (all.stream().anyMatch(bytes -> bytes.length == 0)) {
      throw Refusal.badField(field, field + " has no bytes");
    }
    return all.stream().map(Picture::of).toList();
  }

  /** The text, which may be in OpenAI's {@code {"image_url": …}}. */
  private static String text(@Nullable Object written) {
    if (written instanceof Map<?, ?> map) {
      return text(map.containsKey("url") ? map.get("url") : map.get("image_url"));
    }
    return String.valueOf(written);
  }

  private static byte[] decoded(String field, String written) {
    Matcher data = BASE64.matcher(written);
    if (data.matches()) {
      try {
        return Base64.getMimeDecoder().decode(data.group(1));
      } catch (IllegalArgumentException e) {
        throw Refusal.badField(field, field + " is no base64: " + e.getMessage());
      }
    }
    throw Refusal.badField(
        field, field + " must be a file of a form, or base64 in JSON: data:image/png;base64,…");
  }
}
