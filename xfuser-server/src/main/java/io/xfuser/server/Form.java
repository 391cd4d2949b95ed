package io.xfuser.server;

import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http.DefaultFullHttpRequest;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.multipart.Attribute;
import io.netty.handler.codec.http.multipart.DefaultHttpDataFactory;
import io.netty.handler.codec.http.multipart.FileUpload;
import io.netty.handler.codec.http.multipart.HttpPostRequestDecoder;
import io.netty.handler.codec.http.multipart.HttpPostRequestDecoder.ErrorDataDecoderException;
import io.netty.handler.codec.http.multipart.InterfaceHttpData;
import io.xfuser.config.Setting;
import io.xfuser.internal.failure.Reason;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The fields of a request's body, JSON or a form. Those that are null or, in a form, empty are not
 * there.
 *
 * @param fields texts, numbers, booleans, lists and maps; of a form, texts and lists of them
 * @param files of a form, by field; those of {@code image[]} count as {@code image}
 * @param written whether all values are texts, because forms have no others
 * @param given names of what the client has sent
 */
record Form(
    Map<String, Object> fields, Map<String, List<byte[]>> files, boolean written, Fields given) {
  private static final int DEEPEST = 50;
  private static final int LONGEST_NUMBER = 100;

  Form(Map<String, Object> fields, Map<String, List<byte[]>> files, boolean written) {
    this(
        fields,
        files,
        written,
        new Fields(
            Set.copyOf(Stream.of(fields, files).flatMap(x -> x.keySet().stream()).toList())));
  }

  private static final JsonMapper JSON =
      JsonMapper.builder(
              new com.fasterxml.jackson.core.JsonFactoryBuilder()
                  .streamReadConstraints(
                      StreamReadConstraints.builder()
                          .maxNestingDepth(DEEPEST)
                          .maxNumberLength(LONGEST_NUMBER)
                          .maxStringLength(Integer.MAX_VALUE)
                          .build())
                  .disable(StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION)
                  .build())
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  /**
   * Reads {@code body}.
   *
   * @param type of it, as the header Content-Type has it; none is JSON
   * @throws Refusal if it is neither JSON's object nor a form
   */
  static Form read(@Nullable String type, byte[] body) {
    String kind = type == null ? "application/json" : type.toLowerCase(Locale.ROOT).trim();
    boolean encoded = kind.startsWith("application/x-www-form-urlencoded");
    if (kind.startsWith("multipart/form-data") || (encoded && isFields(body))) {
      return form(String.valueOf(type), body);
    }
    if (kind.startsWith("multipart/")) {
      throw new Refusal(
          Refusal.BAD_MEDIA, "a form must be multipart/form-data, but is " + type, null);
    }
    return json(body); // clients forget the header, or send text/plain
  }

  /** {@code curl -d '{"prompt": …}'} says that it sends a form. */
  private static boolean isFields(byte[] body) {
    String text = new String(body, StandardCharsets.ISO_8859_1);
    return text.indexOf('=') >= 0 && !text.stripLeading().startsWith("{");
  }

  private static Form json(byte[] body) {
    try {
      if (!(JSON.readValue(body, Object.class) instanceof Map<?, ?> object)) {
        throw Refusal.badRequest("the body must be an object of JSON: {\"prompt\": \"a fox\"}");
      }
      Map<String, Object> fields = new LinkedHashMap<>();
      object.forEach(
          (name, value) -> {
            if (value != null) {
              fields.put(String.valueOf(name), value);
            }
          });
      return new Form(fields, Map.of(), false);
    } catch (IOException e) {
      throw Refusal.badRequest("the body is no JSON: " + Reason.of(e));
    }
  }

  private static Form form(String type, byte[] body) {
    DefaultFullHttpRequest request =
        new DefaultFullHttpRequest(
            HttpVersion.HTTP_1_1, HttpMethod.POST, "/", Unpooled.wrappedBuffer(body));
    request.headers().set(HttpHeaderNames.CONTENT_TYPE, type);
    HttpPostRequestDecoder decoder = null;
    try {
      decoder = new HttpPostRequestDecoder(new DefaultHttpDataFactory(false), request);
      Map<String, Object> fields = new LinkedHashMap<>();
      Map<String, List<byte[]>> files = new LinkedHashMap<>();
      for (InterfaceHttpData part : decoder.getBodyHttpDatas()) {
        String name = part.getName().replaceFirst("\\[\\d*]$", "");
        if (part instanceof FileUpload file) {
          files.computeIfAbsent(name, key -> new ArrayList<>()).add(file.get());
        } else if (part instanceof Attribute attribute && !attribute.getValue().isEmpty()) {
          fields.merge(name, attribute.getValue(), Form::both);
        }
      }
      return new Form(fields, files, true);
    } catch (RuntimeException | IOException e) { // Netty has many kinds of them
      boolean told = e.getCause() == null && e instanceof ErrorDataDecoderException;
      throw Refusal.badRequest(
          "the body is no form: " + (told ? e.getMessage() : "it cannot be read"));
    } finally {
      if (decoder != null) {
        decoder.destroy();
      }
      request.release();
    }
  }

  private static List<Object> both(Object first, Object second) {
    List<Object> all = new ArrayList<>(first instanceof List<?> list ? list : List.of(first));
    all.add(second);
    return all;
  }

  /** The value of {@code setting}, if the field of its name is there. */
  <T> @Nullable T get(Setting<T> setting) {
    Object value = fields.get(setting.name());
    if (value == null) {
      return null;
    }
    try {
      return written ? setting.read(value) : setting.readJson(value);
    } catch (IllegalArgumentException e) {
      throw Refusal.badField(given.of(setting), String.valueOf(e.getMessage()));
    }
  }

  /** The same with the default where it is not there. */
  <T> T getOr(Setting<T> setting, T otherwise) {
    T value = get(setting);
    return value == null ? otherwise : value;
  }

  /** With other values of some fields, which the client has not sent. */
  Form with(Map<String, Object> more) {
    Map<String, Object> all = new LinkedHashMap<>(fields);
    all.putAll(more);
    return new Form(all, files, written, given);
  }

  /** The text in field {@code name}, if it is there. */
  @Nullable String text(String name) {
    Object value = fields.get(name);
    if (value == null || value instanceof String) {
      return (String) value;
    }
    throw Refusal.badField(name, name + " must be a text, but is " + value);
  }

  /** The same for forms of equal content, whatever separates their parts. */
  String fingerprint() {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      digest.update(new TreeMap<>(fields).toString().getBytes(StandardCharsets.UTF_8));
      new TreeMap<>(files)
          .forEach(
              (name, all) -> {
                digest.update(("\n" + name).getBytes(StandardCharsets.UTF_8));
                all.forEach(digest::update);
              });
      return HexFormat.of().formatHex(digest.digest());
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e); // every Java has it
    }
  }
}
