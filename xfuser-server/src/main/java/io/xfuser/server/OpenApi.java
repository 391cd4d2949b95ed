package io.xfuser.server;

import io.xfuser.config.InputConfig;
import io.xfuser.config.Setting;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** What the server takes and answers, in the form of OpenAPI 3.1; fields come from the settings. */
final class OpenApi {
  private static final String PICTURE = "A file of a form, or data:image/png;base64,… in JSON";
  private static final String JSON = "application/json";
  private static final String MULTIPART = "multipart/form-data";
  private static final Map<String, Object> TEXT = Map.of("type", "string");

  private OpenApi() {}

  /** Every route by its path and method. */
  static Map<String, Object> of(Served served) {
    Map<String, Object> paths = new TreeMap<>();
    Map<String, Object> draw = fields(served);
    put(
        paths,
        "/v1/images/generations",
        "post",
        "Pictures of a prompt",
        body(draw, JSON, MULTIPART));
    put(
        paths,
        "/v1/images/edits",
        "post",
        "Pictures made of a picture",
        body(draw, MULTIPART, JSON));
    Map<String, Object> video = new LinkedHashMap<>(draw);
    video.put(VideoRoutes.SECONDS.name(), field(VideoRoutes.SECONDS));
    video.put(VideoRoutes.FPS.name(), field(VideoRoutes.FPS));
    video.put("input_reference", text(PICTURE));
    put(paths, "/v1/videos", "post", "Begin a video", body(video, MULTIPART, JSON));
    put(paths, "/v1/videos", "get", "All videos that are known", null);
    put(paths, "/v1/videos/{video}", "get", "How far a video is", null);
    put(paths, "/v1/videos/{video}", "delete", "Give a video up, or forget it", null);
    put(paths, "/v1/videos/{video}/content", "get", "The file of a video, MP4", null);
    put(paths, "/v1/models", "get", "The models that are served", null);
    put(paths, "/v1/models/{model}", "get", "One of them", null);
    put(paths, "/v1/files/{file}/content", "get", "A picture that was answered by url", null);
    Map<String, Object> generate = new LinkedHashMap<>(draw);
    generate.put("cfg", Map.of("type", "number", "description", "guidance_scale by xDiT's name"));
    String defaults = "; where a field is not given: " + GenerateRoute.defaults();
    put(paths, "/generate", "post", "As xDiT's server answers" + defaults, body(generate, JSON));
    put(paths, "/health", "get", "Whether the server is alive", null);
    put(paths, "/ready", "get", "Whether it can draw", null);
    put(paths, "/metrics", "get", "Counts and times, for Prometheus", null);
    put(paths, "/openapi.json", "get", "This", null);
    put(paths, "/", "get", "A page to draw with", null);
    put(paths, "/page/{file}", "get", "A file of that page", null);
    String version = OpenApi.class.getPackage().getImplementationVersion();
    Map<String, Object> info =
        Map.of("title", "xfuser", "version", version == null ? "unpackaged" : version);
    return Map.of("openapi", "3.1.0", "info", info, "paths", paths);
  }

  private static void put(
      Map<String, Object> paths,
      String path,
      String method,
      String summary,
      @Nullable Object body) {
    Map<String, Object> operation = new LinkedHashMap<>();
    operation.put("summary", summary);
    List<Map<String, Object>> parameters =
        java.util.regex.Pattern.compile("\\{(\\w+)}")
            .matcher(path)
            .results()
            .map(
                found ->
                    Map.<String, Object>of(
                        "name", found.group(1), "in", "path", "required", true, "schema", TEXT))
            .toList();
    if (!parameters.isEmpty()) {
      operation.put("parameters", parameters);
    }
    if (body != null) {
      operation.put("requestBody", body);
    }
    operation.put(
        "responses",
        Map.of(
            "200", Map.of("description", "done"),
            "default",
                Map.of(
                    "description",
                    "what went wrong",
                    "content",
                    Map.of(JSON, Map.of("schema", error())))));
    @SuppressWarnings("unchecked") // made here
    Map<String, Object> methods =
        (Map<String, Object>) paths.computeIfAbsent(path, p -> new LinkedHashMap<>());
    methods.put(method, operation);
  }

  private static Map<String, Object> error() {
    Map<String, Object> nullable = Map.of("type", List.of("string", "null"));
    Map<String, Object> told =
        Map.of("message", TEXT, "type", TEXT, "param", nullable, "code", nullable);
    return object(Map.of("error", object(told)));
  }

  private static Map<String, Object> object(Map<String, Object> properties) {
    return Map.of("type", "object", "properties", properties);
  }

  private static Map<String, Object> body(Map<String, Object> fields, String... types) {
    Map<String, Object> content = new LinkedHashMap<>();
    for (String type : types) {
      Map<String, Object> schema = new LinkedHashMap<>(object(fields));
      schema.put("additionalProperties", true); // what is not known is passed over
      content.put(type, Map.of("schema", schema));
    }
    return Map.of("required", true, "content", content);
  }

  private static Map<String, Object> text(String description) {
    return Map.of("type", "string", "description", description);
  }

  /** Every field that a request may have. */
  static Map<String, Object> fields(Served served) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put(
        "model",
        Map.of(
            "type",
            "string",
            "description",
            "One of "
                + String.join(", ", served.models().keySet())
                + "; any other is the first that can do what is asked"));
    for (Setting<?> setting : InputConfig.SETTINGS) {
      if (!DrawRequest.WITHHELD.contains(setting)) {
        fields.put(setting.name(), field(setting));
      }
    }
    for (Setting<?> setting : DrawRequest.OWN) {
      fields.put(setting.name(), field(setting));
    }
    fields.put("image", text(PICTURE));
    fields.put("mask", text(PICTURE + ": white is drawn anew"));
    List<String> loras = served.limits().offered().toList();
    fields.put(
        "lora",
        Map.of(
            "description",
            loras.isEmpty()
                ? "None is offered"
                : "A name of " + String.join(", ", loras) + ", or a list of {name, scale}"));
    return fields;
  }

  private static Map<String, Object> field(Setting<?> setting) {
    Map<String, Object> field = new LinkedHashMap<>();
    Map<String, Object> type = type(setting);
    if (setting.isList()) {
      field.put("anyOf", List.of(type, Map.of("type", "array", "items", type)));
    } else {
      field.putAll(type);
    }
    field.put("description", setting.description());
    return field;
  }

  private static Map<String, Object> type(Setting<?> setting) {
    if (setting.standard() instanceof Enum<?> word) {
      List<String> words =
          Arrays.stream(word.getDeclaringClass().getEnumConstants())
              .map(one -> one.name().toLowerCase(Locale.ROOT))
              .toList();
      return Map.of("type", "string", "enum", words);
    } else if (setting.isSwitch()) {
      return Map.of("type", "boolean");
    } else if (setting.isText()) {
      return Map.of("type", "string");
    } else if (setting.isWord()) {
      return Map.of(); // a notation of its own
    }
    return Map.of("type", Fields.takes(setting, 0.5) ? "number" : "integer");
  }
}
