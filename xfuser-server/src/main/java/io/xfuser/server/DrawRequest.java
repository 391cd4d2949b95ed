package io.xfuser.server;

import io.xfuser.config.InputConfig;
import io.xfuser.config.InputConfigBuilder;
import io.xfuser.config.Kind;
import io.xfuser.config.Picture;
import io.xfuser.config.Setting;
import io.xfuser.internal.picture.ClearMask;
import java.util.Base64;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.ThreadLocalRandom;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What a client asks for.
 *
 * @param input what is drawn; with a seed
 * @param format how pictures are encoded
 * @param byUrl whether pictures are kept and told by their addresses
 * @param stream whether the answer is a stream of events
 * @param deadlineMillis after which they are of no use; 0 = never
 */
record DrawRequest(
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
      List.of(InputConfig.OUTPUT_TYPE, InputConfig.IMAGE, InputConfig.MASK_IMAGE, InputConfig.LORA);

  private static final Pattern PIXELS = Pattern.compile("(\\d{1,6})\\s*[xX×*]\\s*(\\d{1,6})");
  private static final Pattern DATA_URL = Pattern.compile("(?s)data:image/[\\w.+-]+;base64,(.*)");

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
    if (form.get(InputConfig.SEED) == null && form.get(InputConfig.SEEDS) == null) {
      set(input, InputConfig.SEED, ThreadLocalRandom.current().nextLong(1L << 32)); // as tools show
    }
    boolean stream = form.getOr(STREAM, false);
    if (!stream) { // nobody would see them
      input.set(InputConfig.PARTIAL_IMAGES, null);
    }
    InputConfig whole = built(input);
    limits.check(whole);
    return new DrawRequest(
        whole,
        ImageFormat.Encoding.of(form),
        form.getOr(RESPONSE_FORMAT, Answer.B64_JSON) == Answer.URL,
        stream,
        Objects.requireNonNullElse(form.get(DEADLINE_MS), 0));
  }

  private static void set(InputConfigBuilder input, Setting<?> setting, @Nullable Object value) {
    if (value != null) {
      try {
        input.set(setting, value);
      } catch (IllegalArgumentException e) {
        throw Refusal.badField(setting.name(), String.valueOf(e.getMessage()));
      }
    }
  }

  private static InputConfig built(InputConfigBuilder input) {
    try {
      return input.build();
    } catch (IllegalArgumentException e) {
      throw Refusal.badRequest(String.valueOf(e.getMessage()));
    }
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
      set(input, InputConfig.WIDTH, Integer.valueOf(pixels.group(1)));
      set(input, InputConfig.HEIGHT, Integer.valueOf(pixels.group(2)));
    }
  }

  /**
   * A file of a form, or base64 in JSON: never a path or an address, which the server would read.
   */
  private static void pictures(Form form, InputConfigBuilder input) {
    set(input, InputConfig.IMAGE, picture(form, "image"));
    set(input, InputConfig.MASK_IMAGE, mask(picture(form, "mask")));
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
    List<byte[]> files = form.files().getOrDefault(field, List.of());
    Object written = form.fields().get(field);
    if (files.isEmpty() && written == null) {
      return null;
    }
    if (files.size() > 1 || (written instanceof List<?> many && many.size() > 1)) {
      throw Refusal.badField(field, "a request has one " + field + ", but there are several");
    }
    byte[] bytes =
        files.isEmpty()
            ? decoded(
                field, written instanceof List<?> one && !one.isEmpty() ? one.get(0) : written)
            : files.get(0);
    if (bytes.length == 0) {
      throw Refusal.badField(field, field + " has no bytes");
    }
    return Picture.of(bytes);
  }

  private static byte[] decoded(String field, @Nullable Object written) {
    Matcher data = DATA_URL.matcher(String.valueOf(written));
    if (data.matches()) {
      try {
        return Base64.getMimeDecoder().decode(data.group(1));
      } catch (IllegalArgumentException e) {
        throw Refusal.badField(field, field + " is no base64: " + e.getMessage());
      }
    }
    throw Refusal.badField(
        field, field + " must be a file of a form, or data:image/png;base64,… in JSON");
  }
}
