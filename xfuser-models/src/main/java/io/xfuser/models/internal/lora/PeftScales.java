package io.xfuser.models.internal.lora;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import io.xfuser.failure.ModelException;
import io.xfuser.internal.failure.Reason;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/**
 * By what peft's settings scale a LoRA's products: {@code lora_alpha} divided by the rank {@code
 * r}, or by its root with {@code use_rslora}; {@code alpha_pattern} and {@code rank_pattern} have
 * others for some modules. They lie in {@code adapter_config.json}, or in a file's metadata, where
 * diffusers puts the component's name before each. Source: peft {@code tuners/lora/layer.py},
 * {@code utils/other.py}.
 *
 * @param origin where the settings are from, for messages
 * @param json the settings
 */
record PeftScales(String origin, JsonNode json) {
  private static final JsonMapper JSON = new JsonMapper();

  /** Nobody's settings: what is not scaled by them is not scaled. */
  static final PeftScales NONE = new PeftScales("", MissingNode.getInstance());

  /** Those in {@code text}; throws ModelException if it is no JSON object. */
  static PeftScales parse(String origin, String text) {
    try {
      JsonNode json = JSON.readTree(text);
      if (!json.isObject()) {
        throw new ModelException(origin + " is not a JSON object");
      }
      return new PeftScales(origin, json);
    } catch (JsonProcessingException e) {
      throw new ModelException(origin + " is not JSON (" + Reason.of(e) + ")");
    }
  }

  /**
   * By what the product of a module's matrices is multiplied, 1 where the settings say nothing of
   * its component.
   *
   * @throws ModelException if the settings are no numbers, or have another rank than the matrices
   */
  double of(LoraAddress address, long rank) {
    String component = json.has(address.prefix() + ".r") ? address.prefix() + "." : "";
    if (!json.has(component + "r")) {
      return 1;
    }
    JsonNode expected = number(component, "r", "rank_pattern", address);
    double divisor = expected.doubleValue();
    if (divisor != rank) {
      throw new ModelException(
          "%s says that %s has the rank %s, but it has %d"
              .formatted(origin, address.name(), expected, rank));
    }
    double alpha = number(component, "lora_alpha", "alpha_pattern", address).doubleValue();
    boolean rootOfRank = json.path(component + "use_rslora").asBoolean();
    return alpha / (rootOfRank ? Math.sqrt(divisor) : divisor);
  }

  private JsonNode number(String component, String name, String pattern, LoraAddress address) {
    JsonNode value = json.path(component + name);
    for (Map.Entry<String, JsonNode> other : json.path(component + pattern).properties()) {
      if (matches(other.getKey(), address.name())) {
        value = other.getValue();
        break;
      }
    }
    if (!value.isNumber()) {
      throw new ModelException(
          "%s has no number %s for %s but %s".formatted(origin, name, address.name(), value));
    }
    return value;
  }

  /** As in peft, a pattern is a regular expression for the end of a name. */
  private boolean matches(String pattern, String module) {
    try {
      return Pattern.compile("(.*\\.)?(" + pattern + ")").matcher(new Patient(module)).matches();
    } catch (PatternSyntaxException | Impatient e) {
      throw new ModelException(origin + " has the unusable pattern " + pattern);
    }
  }

  /** A text that is not looked at for ever: there are expressions that would. */
  private static final class Patient implements CharSequence {
    private static final int MOST = 1_000_000;

    private final String text;
    private int looks;

    Patient(String text) {
      this.text = text;
    }

    @Override
    public char charAt(int index) {
      if (++looks > MOST) {
        throw new Impatient();
      }
      return text.charAt(index);
    }

    @Override
    public int length() {
      return text.length();
    }

    @Override
    public CharSequence subSequence(int start, int end) {
      return text.subSequence(start, end);
    }

    @Override
    public String toString() {
      return text;
    }
  }

  private static final class Impatient extends RuntimeException {
    private static final long serialVersionUID = 1L;
  }
}
