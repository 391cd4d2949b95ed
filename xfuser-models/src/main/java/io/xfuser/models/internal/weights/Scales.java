package io.xfuser.models.internal.weights;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.xfuser.failure.ModelException;
import io.xfuser.internal.failure.Reason;
import io.xfuser.internal.weights.FileName;
import io.xfuser.weights.ComponentConfig;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Puts scales to the weights beside which files of ComfyUI have them. Beside {@code x.weight}:
 *
 * <ul>
 *   <li>{@code x.scale_weight}, and somewhere the marker {@code scaled_fp8};
 *   <li>or {@code x.weight_scale}, with {@code x.comfy_quant}, JSON that names the format.
 * </ul>
 *
 * Scales of inputs are for products in 8 bits, which are not made here. Source: ComfyUI, {@code
 * QUANTIZATION.md} and {@code comfy/utils.py} ({@code convert_old_quants}).
 */
final class Scales {
  private static final String WEIGHT = ".weight";
  private static final List<String> SCALE = List.of(".weight_scale", ".scale_weight");
  private static final List<String> OF_INPUTS = List.of(".input_scale", ".scale_input");
  private static final String FORMAT = ".comfy_quant";
  private static final String MARKER = "scaled_fp8";

  /** What the numbers of each format are; how far a scale reaches, its shape says. */
  private static final Map<String, StoredType> FORMATS =
      Map.of(
          "float8_e4m3fn", StoredType.F8_E4M3,
          "float8_e4m3fn_rowwise", StoredType.F8_E4M3,
          "float8_e4m3fn_blockwise", StoredType.F8_E4M3,
          "float8_e5m2", StoredType.F8_E5M2,
          "int8_tensorwise", StoredType.I8,
          "int8_rowwise", StoredType.I8,
          "int8_blockwise", StoredType.I8);

  /** Settings of formats that say more than that numbers are scaled. */
  private static final Set<String> ROTATED = Set.of("convrot", "rotation", "hadamard");

  private static final int MOST_JSON = 1 << 16;
  private static final JsonMapper JSON = new JsonMapper();

  private final Map<String, Stored> all;
  private final Map<String, Stored> scaled = new LinkedHashMap<>();

  private Scales(Map<String, Stored> all) {
    this.all = all;
    scaled.putAll(all);
  }

  /**
   * {@code tensors} with those that have scales scaled, without the scales.
   *
   * @throws ModelException if a scale does not fit its weight, or the format is not supported
   */
  static Map<String, Stored> applied(Map<String, Stored> tensors) {
    Scales scales = new Scales(tensors);
    tensors.keySet().forEach(scales::apply);
    return scales.scaled;
  }

  private void apply(String name) {
    if (name.equals(MARKER) || name.endsWith("." + MARKER)) {
      scaled.remove(name);
      return;
    }
    for (String ending : SCALE) {
      if (name.endsWith(ending)) {
        scale(name.substring(0, name.length() - ending.length()), name);
      }
    }
    for (String ending : OF_INPUTS) {
      if (name.endsWith(ending) && all.containsKey(weight(name, ending))) {
        scaled.remove(name);
      }
    }
    if (name.endsWith(FORMAT)) {
      scaled.remove(name);
      if (!all.containsKey(weight(name, FORMAT))) {
        throw alone(name);
      }
      format(name); // refused even where no scale is
    }
  }

  private static String weight(String name, String ending) {
    return name.substring(0, name.length() - ending.length()) + WEIGHT;
  }

  private void scale(String layer, String name) {
    Stored scale = stored(name);
    scaled.remove(name);
    Stored values = all.get(layer + WEIGHT);
    if (values == null) {
      throw alone(name);
    }
    StoredType format = all.containsKey(layer + FORMAT) ? format(layer + FORMAT) : null;
    if (!scale.floating()) {
      throw new ModelException(
          "%s: \"%s\" is %s, not floating-point numbers"
              .formatted(scale.file(), name, scale.typeName()));
    }
    scaled.put(layer + WEIGHT, Scaled.of(layer, numbers(values, layer, format), scale));
  }

  private Stored stored(String name) {
    return Objects.requireNonNull(all.get(name), name);
  }

  private ModelException alone(String name) {
    return new ModelException(
        "%s: there is no weight beside \"%s\"%s"
            .formatted(stored(name).file(), name, ComponentConfig.quantization(all.keySet())));
  }

  /** {@code values} as numbers of {@code format}; the file may say of them that they are bytes. */
  private Stored numbers(Stored values, String layer, @Nullable StoredType format) {
    boolean bytes =
        values instanceof PlainTensor plain && plain.stored() == StoredType.U8 && format != null;
    if (bytes && values instanceof PlainTensor plain && format != null) {
      return new PlainTensor(plain.in(), format, plain.shape(), plain.offset(), plain.bytes());
    }
    if (values.floating() || (format != null && values.typeName().equals(format.name()))) {
      return values;
    }
    throw new ModelException(
        "%s: \"%s\" is %s, which a scale alone does not make floating-point numbers of%s"
            .formatted(
                values.file(),
                layer + WEIGHT,
                values.typeName(),
                ComponentConfig.quantization(all.keySet())));
  }

  /** What the JSON in the tensor {@code name} says. */
  private StoredType format(String name) {
    Stored tensor = stored(name);
    JsonNode json = json(name, tensor);
    String format = json.path("format").asText();
    StoredType type = FORMATS.get(format);
    if (type == null) {
      throw new ModelException(
          "%s: \"%s\" has the format \"%s\", which is not supported: only float8 and int8 are"
              .formatted(tensor.file(), name, FileName.shown(format)));
    }
    for (String setting : ROTATED) {
      if (json.path(setting).asBoolean()) {
        throw new ModelException(
            "%s: \"%s\" has %s, which is not supported".formatted(tensor.file(), name, setting));
      }
    }
    return type;
  }

  private static JsonNode json(String name, Stored tensor) {
    Stored.Extent extent = tensor.extents().get(0);
    try (FileChannel channel = FileChannel.open(extent.file())) {
      ByteBuffer text = ByteBuffer.allocate((int) Math.min(extent.bytes(), MOST_JSON));
      while (text.hasRemaining() && channel.read(text, extent.offset() + text.position()) >= 0) {}
      JsonNode json = JSON.readTree(text.array());
      if (json.isObject()) {
        return json;
      }
      throw new ModelException(tensor.file() + ": \"" + name + "\" is no JSON object");
    } catch (IOException e) {
      throw new ModelException(
          "%s: \"%s\" is not JSON (%s)".formatted(tensor.file(), name, Reason.of(e)));
    }
  }
}
