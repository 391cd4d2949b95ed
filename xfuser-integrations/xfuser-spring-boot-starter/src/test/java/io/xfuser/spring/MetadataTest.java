package io.xfuser.spring;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import io.xfuser.config.InputConfig;
import io.xfuser.config.ModelConfig;
import io.xfuser.config.ParallelConfig;
import io.xfuser.config.RuntimeConfig;
import io.xfuser.config.Setting;
import java.io.IOException;
import java.lang.reflect.RecordComponent;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/**
 * What editors tell of the properties is what the settings say of themselves. {@code
 * -Dxfuser.write=true} writes the file.
 */
class MetadataTest {
  private static final Path FILE =
      Path.of("src/main/resources/META-INF/spring-configuration-metadata.json");

  private static final Map<String, List<Setting<?>>> GROUPS = new LinkedHashMap<>();

  static {
    GROUPS.put("settings", ModelConfig.SETTINGS);
    GROUPS.put("parallel", ParallelConfig.SETTINGS);
    GROUPS.put("runtime", RuntimeConfig.SETTINGS);
    GROUPS.put("defaults", InputConfig.SETTINGS);
  }

  /** What the settings do not say: the properties of the starter itself. */
  private static final Map<String, String> OWN = new LinkedHashMap<>();

  static {
    OWN.put("model", "A model's directory or file, or on the hub org/name.");
    OWN.put("load-at-start", "Whether weights are read before the application is ready.");
    OWN.put("max-waiting", "Requests that may wait, 64 if it is not given.");
    OWN.put("shutdown-timeout", "How long a request may go on when the application ends.");
    OWN.put("stalled-after", "Without progress for how long a request makes it unhealthy.");
  }

  private static Map<String, Object> property(String name, String type, String description) {
    Map<String, Object> property = new LinkedHashMap<>();
    property.put("name", "xfuser." + name);
    property.put("type", type);
    property.put("description", description);
    return property;
  }

  private static String metadata() throws JsonProcessingException {
    List<Map<String, Object>> properties = new ArrayList<>();
    OWN.forEach((name, said) -> properties.add(property(name, type(name), said)));
    GROUPS.forEach(
        (group, settings) ->
            settings.forEach(
                setting ->
                    properties.add(
                        property(
                            group + "." + setting.name().replace('_', '-'),
                            setting.isSwitch() ? "java.lang.Boolean" : "java.lang.String",
                            setting.description() + "."))));
    Map<String, Object> group = new LinkedHashMap<>();
    group.put("name", "xfuser");
    group.put("type", XfuserProperties.class.getName());
    Map<String, Object> all = new LinkedHashMap<>();
    all.put("groups", List.of(group));
    all.put("properties", properties);
    return new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT).writeValueAsString(all)
        + "\n";
  }

  private static String type(String name) {
    for (RecordComponent component : XfuserProperties.class.getRecordComponents()) {
      if (component.getName().equalsIgnoreCase(name.replace("-", ""))) {
        return component.getType() == boolean.class
            ? "java.lang.Boolean"
            : component.getType().getName();
      }
    }
    throw new AssertionError("there is no property " + name);
  }

  @Test
  void editorsKnowEverySetting() throws IOException {
    String expected = metadata();
    if (Boolean.getBoolean("xfuser.write")) {
      Files.writeString(FILE, expected);
    }
    assertThat(Files.readString(FILE).replace("\r\n", "\n"))
        .as("-Dxfuser.write=true writes %s", FILE)
        .isEqualTo(expected);
    int described = OWN.size() + GROUPS.size();
    assertThat(XfuserProperties.class.getRecordComponents()).hasSize(described);
  }
}
