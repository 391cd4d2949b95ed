package io.xfuser.weights;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.xfuser.failure.ModelException;
import io.xfuser.internal.failure.Reason;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * The settings of one component: {@code config.json}, {@code scheduler_config.json} or {@code
 * model_index.json}. Python's {@code -Infinity} and {@code NaN} are numbers; {@code null} is the
 * same as no setting, but for {@link #getBoolean(String, boolean)}.
 *
 * <p>The getters without a default throw ModelException if the setting is missing, and all do if
 * its value is of another kind; the message names the file and the setting.
 */
public final class ComponentConfig {
  private static final JsonMapper JSON =
      JsonMapper.builder().enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS).build();

  private static final String CLASS_NAME = "_class_name";
  private static final String MODEL_TYPE = "model_type";

  private final String origin;
  private final ObjectNode json;

  private ComponentConfig(String origin, ObjectNode json) {
    this.origin = origin;
    this.json = json;
  }

  /**
   * Reads {@code file}.
   *
   * @throws ModelException if it is missing or no JSON object
   */
  public static ComponentConfig read(Path file) {
    if (!Files.isRegularFile(file)) {
      throw new ModelException(file + " does not exist");
    }
    try {
      return parse(file.toString(), Files.readString(file));
    } catch (IOException e) {
      throw new ModelException(file + " cannot be read: " + Reason.of(e), e);
    }
  }

  /** The settings in {@code text}; messages name {@code origin}. */
  public static ComponentConfig parse(String origin, String text) {
    try {
      if (JSON.readTree(text) instanceof ObjectNode json) {
        // as in diffusers' extract_init_dict: what is listed there was never set
        json.path("_use_default_values").forEach(name -> json.remove(name.asText()));
        return new ComponentConfig(origin, json);
      }
      throw new ModelException(origin + " is not a JSON object");
    } catch (JsonProcessingException e) {
      throw new ModelException(origin + " is not JSON (" + Reason.of(e) + ")", e);
    }
  }

  /** Where the settings are from, usually the path of the file. */
  public String origin() {
    return origin;
  }

  /**
   * The same settings for the class that {@code model_index.json} names: {@code _class_name} is
   * {@code name}, whatever the file says of itself. Diffusers makes a component of the class in the
   * index and reads its settings from the file.
   */
  public ComponentConfig ofClass(String name) {
    ObjectNode same = json.deepCopy();
    return new ComponentConfig(origin, same.put(CLASS_NAME, name));
  }

  /** The settings that are the value of {@code name}, if that is an object. */
  Optional<ComponentConfig> section(String name) {
    return json.path(name) instanceof ObjectNode part
        ? Optional.of(new ComponentConfig(origin + ", " + name, part))
        : Optional.empty();
  }

  /** The value of {@code name} for messages, a string without its quotes. */
  String plain(String name) {
    return json.path(name).isTextual() ? json.path(name).textValue() : text(name);
  }

  /**
   * The same settings, of a model whose weights are floating-point numbers.
   *
   * @throws ModelException naming the quantization, if they are of quantized weights
   */
  public ComponentConfig unquantized() {
    Quantization.refuse(this);
    return this;
  }

  /**
   * How weights are quantized, where the names of a file's tensors show it, for the end of a
   * sentence; else nothing.
   */
  public static String quantization(Collection<String> names) {
    return Quantization.hint(names);
  }

  /** The class that the settings are for; empty if nothing says so. */
  public Optional<String> className() {
    return has(CLASS_NAME) ? Optional.of(getString(CLASS_NAME)) : Optional.empty();
  }

  /**
   * The settings that transformers' {@code PretrainedConfig.from_pretrained} takes of a file that
   * describes a larger model: those under {@code key} if there are such, else, where the file's
   * {@code model_type} is another, those of the last part that has {@code modelType}; else these.
   */
  public ComponentConfig part(@Nullable String key, String modelType) {
    if (key != null && section(key).isPresent()) {
      return ofThisClass(section(key).get());
    }
    ComponentConfig found = this;
    String type = json.path(MODEL_TYPE).asText(modelType);
    for (Map.Entry<String, JsonNode> entry : json.properties()) {
      boolean matches = modelType.equals(entry.getValue().path(MODEL_TYPE).asText());
      if (matches && !type.equals(modelType)) {
        found = section(entry.getKey()).map(this::ofThisClass).orElse(found);
      }
    }
    return found;
  }

  private ComponentConfig ofThisClass(ComponentConfig part) {
    return className().map(part::ofClass).orElse(part);
  }

  /** The names of all settings, those with the value null too. */
  public Set<String> keys() {
    Set<String> keys = new LinkedHashSet<>();
    json.fieldNames().forEachRemaining(keys::add);
    return Collections.unmodifiableSet(keys);
  }

  /** Whether there is a setting {@code name} whose value is not null. */
  public boolean has(String name) {
    return json.hasNonNull(name);
  }

  /** The value of {@code name} as JSON text, {@code null} if there is none; for messages. */
  public String text(String name) {
    JsonNode value = json.path(name);
    if (value.isMissingNode()) {
      return "null";
    }
    // JSON has no infinity, so toString would put it in quotes
    return value.isNumber() ? value.asText() : value.toString();
  }

  /**
   * The value of {@code name} as a number, boolean, text, or list of them.
   *
   * @throws ModelException if there is none
   */
  public Object value(String name) {
    return JSON.convertValue(present(name), Object.class);
  }

  /** A whole number. */
  public int getInt(String name) {
    return toInt(name, present(name));
  }

  /** A whole number, {@code otherwise} if there is none. */
  public int getInt(String name, int otherwise) {
    return has(name) ? getInt(name) : otherwise;
  }

  /** A number. */
  public double getDouble(String name) {
    return toDouble(name, present(name));
  }

  /** A number, {@code otherwise} if there is none. */
  public double getDouble(String name, double otherwise) {
    return has(name) ? getDouble(name) : otherwise;
  }

  /** True or false. */
  public boolean getBoolean(String name) {
    return checked(name, present(name), JsonNode::isBoolean, "true or false").booleanValue();
  }

  /** True or false, {@code otherwise} if there is none; null is false, as in Python. */
  public boolean getBoolean(String name, boolean otherwise) {
    return has(name) ? getBoolean(name) : otherwise && !json.has(name);
  }

  /** A string. */
  public String getString(String name) {
    return toText(name, present(name));
  }

  /** A string, {@code otherwise} if there is none. */
  public String getString(String name, String otherwise) {
    return has(name) ? getString(name) : otherwise;
  }

  /** Whole numbers. */
  public List<Integer> getIntList(String name) {
    return list(name, item -> toInt(name, item));
  }

  /** Numbers. */
  public List<Double> getDoubleList(String name) {
    return list(name, item -> toDouble(name, item));
  }

  /** Strings. */
  public List<String> getStringList(String name) {
    return list(name, item -> toText(name, item));
  }

  /**
   * Refuses a setting that is not as supported; where there is none, {@code supported} holds.
   *
   * @throws ModelException naming both values
   */
  public void require(String name, Object supported) {
    Object found = supported;
    if (has(name)) {
      if (supported instanceof Boolean) {
        found = getBoolean(name);
      } else if (supported instanceof Integer) {
        found = getInt(name);
      } else {
        found = supported instanceof Double ? getDouble(name) : getString(name);
      }
    }
    if (!found.equals(supported)) {
      throw new ModelException(
          origin + ": " + name + " is " + found + ", only " + supported + " is supported");
    }
  }

  private <T> List<T> list(String name, Function<JsonNode, T> element) {
    List<T> items = new ArrayList<>();
    checked(name, present(name), JsonNode::isArray, "a list")
        .forEach(item -> items.add(element.apply(item)));
    return Collections.unmodifiableList(items);
  }

  private JsonNode present(String name) {
    if (!has(name)) {
      throw new ModelException(origin + " has no " + name);
    }
    return json.path(name);
  }

  private int toInt(String name, JsonNode value) {
    Predicate<JsonNode> whole =
        node -> node.isNumber() && node.canConvertToExactIntegral() && node.canConvertToInt();
    return checked(name, value, whole, "a whole number").intValue();
  }

  private double toDouble(String name, JsonNode value) {
    return checked(name, value, JsonNode::isNumber, "a number").doubleValue();
  }

  private String toText(String name, JsonNode value) {
    return checked(name, value, JsonNode::isTextual, "a string").textValue();
  }

  private JsonNode checked(
      String name, JsonNode value, Predicate<JsonNode> valid, String expected) {
    if (!valid.test(value)) {
      throw new ModelException(origin + ": " + name + " is " + text(name) + ", not " + expected);
    }
    return value;
  }
}
