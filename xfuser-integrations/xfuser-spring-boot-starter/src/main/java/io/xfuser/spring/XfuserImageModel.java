package io.xfuser.spring;

import io.xfuser.config.InputConfig;
import io.xfuser.config.InputConfigBuilder;
import io.xfuser.config.Picture;
import io.xfuser.config.Setting;
import io.xfuser.failure.ArgumentException;
import io.xfuser.internal.picture.ClearMask;
import io.xfuser.pipeline.Generation;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.springframework.ai.content.Media;
import org.springframework.ai.image.Image;
import org.springframework.ai.image.ImageGeneration;
import org.springframework.ai.image.ImageGenerationMetadata;
import org.springframework.ai.image.ImageMessage;
import org.springframework.ai.image.ImageModel;
import org.springframework.ai.image.ImageOptions;
import org.springframework.ai.image.ImagePrompt;
import org.springframework.ai.image.ImageResponse;
import org.springframework.ai.image.ImageResponseMetadata;

/**
 * Spring AI's {@link ImageModel}, drawn by the ranks of this JVM. Pictures are PNG files in base
 * 64.
 *
 * <p>The messages of a prompt are one prompt, joined by commas; those with a negative weight say
 * what is avoided. The first picture among their media is drawn on from, if the model takes one;
 * the second is its mask. Options are those of {@link XfuserImageOptions}; of others number and
 * size are taken, and what is no matter of this model is not: its name, style and response format.
 * Failures are those of {@code io.xfuser.failure}.
 */
public final class XfuserImageModel implements ImageModel {
  private final Drawings drawings;
  private final InputConfig request;

  /**
   * Draws with {@code drawings}.
   *
   * @param request what prompts ask for where their options say nothing else
   */
  XfuserImageModel(Drawings drawings, InputConfig request) {
    this.drawings = drawings;
    this.request = request;
  }

  /**
   * How a picture was made.
   *
   * @param provenance what its file tells, by keyword
   */
  public record Metadata(Map<String, String> provenance) implements ImageGenerationMetadata {}

  @Override
  public ImageResponse call(ImagePrompt prompt) {
    InputConfigBuilder asked = request.toBuilder();
    apply(prompt.getOptions(), asked);
    List<String> wanted = new ArrayList<>();
    List<String> avoided = new ArrayList<>();
    List<Picture> pictures = new ArrayList<>();
    for (ImageMessage message : prompt.getInstructions()) {
      Float weight = message.getWeight();
      (weight != null && weight < 0 ? avoided : wanted).add(message.getText());
      for (Media media : message.getMedia()) {
        pictures.add(Picture.of(media.getDataAsByteArray()));
      }
    }
    asked.prompts(String.join(", ", wanted));
    if (!avoided.isEmpty()) {
      asked.negativePrompts(String.join(", ", avoided));
    }
    show(pictures, asked);
    try (Generation drawn = drawings.draw(asked.build())) {
      return response(drawn);
    }
  }

  private static void apply(@Nullable ImageOptions options, InputConfigBuilder asked) {
    if (options instanceof XfuserImageOptions own) {
      for (Setting<?> setting : InputConfig.SETTINGS) {
        if (own.request().has(setting)) {
          asked.set(setting, own.request().get(setting));
        }
      }
    } else if (options != null) {
      set(asked, InputConfig.NUM_IMAGES_PER_PROMPT, options.getN());
      set(asked, InputConfig.WIDTH, options.getWidth());
      set(asked, InputConfig.HEIGHT, options.getHeight());
    }
  }

  private static void set(
      InputConfigBuilder asked, Setting<Integer> setting, @Nullable Integer value) {
    if (value != null) {
      asked.set(setting, value);
    }
  }

  private static void show(List<Picture> pictures, InputConfigBuilder asked) {
    if (pictures.size() > 2) {
      throw new ArgumentException(
          "a request has a picture and a mask, but %d were given".formatted(pictures.size()));
    }
    if (!pictures.isEmpty()) {
      asked.image(pictures.get(0));
    }
    if (pictures.size() > 1) {
      asked.maskImage(ClearMask.of(pictures.get(1)));
    }
  }

  private static ImageResponse response(Generation drawn) {
    List<ImageGeneration> results = new ArrayList<>();
    for (byte[] file : drawn.pngs()) {
      Metadata metadata = new Metadata(drawn.provenance(results.size()));
      Image image = new Image(null, Base64.getEncoder().encodeToString(file));
      results.add(new ImageGeneration(image, metadata));
    }
    return new ImageResponse(results, new ImageResponseMetadata(Instant.now().getEpochSecond()));
  }
}
