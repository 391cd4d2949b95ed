package io.xfuser.cli.launch;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.xfuser.config.InputConfig;
import io.xfuser.config.InputConfigBuilder;
import io.xfuser.config.OutputType;
import io.xfuser.config.Picture;
import io.xfuser.config.Setting;
import io.xfuser.failure.ArgumentException;
import io.xfuser.failure.CancelledException;
import io.xfuser.failure.ClosedException;
import io.xfuser.failure.CommunicationException;
import io.xfuser.failure.MemoryException;
import io.xfuser.failure.MismatchException;
import io.xfuser.failure.ModelException;
import io.xfuser.failure.PlatformException;
import io.xfuser.failure.RankException;
import io.xfuser.internal.failure.Reason;
import io.xfuser.progress.Progress;
import io.xfuser.server.Drawn;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import javax.imageio.ImageIO;
import org.jspecify.annotations.Nullable;

/** Requests, progress and pictures as lines of JSON between a server and its ranks' processes. */
final class RankWire {
  /** Settings of several pictures. */
  private static final List<Setting<?>> PICTURES =
      List.of(
          InputConfig.IMAGE, InputConfig.IP_ADAPTER_IMAGE, InputConfig.NEGATIVE_IP_ADAPTER_IMAGE);

  /** Settings of one. */
  private static final List<Setting<?>> SINGLE =
      List.of(InputConfig.MASK_IMAGE, InputConfig.LAST_IMAGE);

  /** Begins the lines that are meant; libraries may write others. */
  private static final String MARK = "xfuser:";

  private static final JsonMapper JSON = new JsonMapper();

  private RankWire() {}

  static ObjectNode message(String kind) {
    return JSON.createObjectNode().put("kind", kind);
  }

  static String line(ObjectNode message) {
    try {
      return MARK + JSON.writeValueAsString(message);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e); // made of texts and numbers
    }
  }

  /** The message of a line; null if it is none. */
  static @Nullable JsonNode read(String line) {
    try {
      return line.startsWith(MARK) ? JSON.readTree(line.substring(MARK.length())) : null;
    } catch (JsonProcessingException e) {
      return null;
    }
  }

  static ObjectNode request(InputConfig input) {
    ObjectNode message = message("draw");
    ObjectNode settings = message.putObject("settings");
    for (Setting<?> setting : InputConfig.SETTINGS) {
      if (input.has(setting)) {
        settings.set(setting.name(), JSON.valueToTree(written(input.get(setting))));
      }
    }
    return message;
  }

  private static @Nullable Object written(@Nullable Object value) {
    if (value instanceof Picture picture) {
      return picture.read(); // base64
    }
    if (value instanceof List<?> several) {
      return several.stream().map(RankWire::written).toList();
    }
    return value instanceof OutputType type ? type.name() : value;
  }

  static InputConfig input(JsonNode message) throws IOException {
    InputConfigBuilder input = InputConfig.builder();
    for (Setting<?> setting : InputConfig.SETTINGS) {
      JsonNode value = message.at("/settings/" + setting.name());
      if (!value.isMissingNode()) {
        if (PICTURES.contains(setting)) {
          List<byte[]> pictures = new ArrayList<>();
          for (JsonNode picture : value) {
            pictures.add(picture.binaryValue());
          }
          input.set(setting, pictures);
        } else {
          input.set(
              setting,
              SINGLE.contains(setting)
                  ? value.binaryValue()
                  : JSON.treeToValue(value, Object.class));
        }
      }
    }
    return input.build();
  }

  static ObjectNode failed(Throwable why) {
    return message("failed")
        .put("type", why.getClass().getSimpleName())
        .put("message", why instanceof RankException of ? of.encoded() : Reason.of(why));
  }

  /** What {@code rank} tells that it failed by. */
  static RuntimeException failure(int rank, JsonNode message) {
    String told = message.path("message").asText();
    String type = message.path("type").asText();
    return switch (type) {
      case "CancelledException" -> new CancelledException(told);
      case "MemoryException" -> new MemoryException(told, "", new IllegalStateException(told));
      case "ArgumentException", "IllegalArgumentException" -> new ArgumentException(told);
      case "ClosedException" -> new ClosedException(told);
      case "CommunicationException" -> new CommunicationException(told);
      case "MismatchException" -> new MismatchException(told);
      case "ModelException" -> new ModelException(told);
      case "PlatformException" -> new PlatformException(told);
      case "RankException" -> RankException.decoded(told);
      default -> RankException.of(rank, "drawing", new IllegalStateException(type + ": " + told));
    };
  }

  static ObjectNode progress(Progress progress) {
    ObjectNode message =
        message("progress")
            .put("what", progress.getClass().getSimpleName())
            .put("done", progress.done())
            .put("total", progress.total());
    if (progress instanceof Progress.Loading loading) {
      message.put("component", loading.component().name());
    } else if (progress instanceof Progress.Denoising step) {
      message.put("seconds", step.seconds());
    } else if (progress instanceof Progress.Preview preview) {
      message.put("frames", preview.frames()).put("per_second", preview.perSecond());
      preview.pictures().forEach(picture -> message.withArray("pictures").add(png(picture)));
    }
    return message;
  }

  static @Nullable Progress progress(JsonNode message) throws IOException {
    long done = message.path("done").asLong();
    long total = message.path("total").asLong();
    return switch (message.path("what").asText()) {
      case "Loading" ->
          new Progress.Loading(
              Progress.Component.valueOf(message.path("component").asText()), done, total);
      case "Encoding" -> new Progress.Encoding(done, total);
      case "EncodingPicture" -> new Progress.EncodingPicture(done, total);
      case "Denoising" -> new Progress.Denoising(done, total, message.path("seconds").asDouble());
      case "Decoding" -> new Progress.Decoding(done, total);
      case "Preview" ->
          new Progress.Preview(
              done,
              total,
              images(message.path("pictures")),
              message.path("frames").asInt(),
              message.path("per_second").asDouble());
      default -> null;
    };
  }

  /** What a rank has of the pictures, the first of which has number {@code first} among all. */
  static ObjectNode pictures(Drawn drawn, int first) {
    ObjectNode message = message("drawn").put("first", first);
    for (Drawn.Picture picture : drawn.pictures()) {
      ObjectNode one = message.withArray("pictures").addObject();
      picture.frames().forEach(frame -> one.withArray("frames").add(png(frame)));
      one.set("provenance", JSON.valueToTree(picture.provenance()));
    }
    return message;
  }

  /** Puts the pictures of a message to {@code all}, by their numbers. */
  static void collect(JsonNode message, Map<Integer, Drawn.Picture> all) throws IOException {
    int number = message.path("first").asInt();
    for (JsonNode one : message.path("pictures")) {
      Map<String, String> provenance = new LinkedHashMap<>();
      one.path("provenance")
          .properties()
          .forEach(x -> provenance.put(x.getKey(), x.getValue().asText()));
      all.put(number++, new Drawn.Picture(images(one.path("frames")), provenance));
    }
  }

  private static List<BufferedImage> images(JsonNode pngs) throws IOException {
    List<BufferedImage> images = new ArrayList<>();
    for (JsonNode png : pngs) {
      images.add(ImageIO.read(new ByteArrayInputStream(png.binaryValue())));
    }
    return images;
  }

  private static String png(BufferedImage picture) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try {
      ImageIO.write(picture, "png", bytes);
    } catch (IOException e) {
      throw new UncheckedIOException(e); // nothing is written to a file
    }
    return Base64.getEncoder().encodeToString(bytes.toByteArray());
  }
}
