package io.xfuser.model;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.xfuser.config.InputConfig;
import io.xfuser.config.ModelConfig;
import io.xfuser.failure.ArgumentException;
import io.xfuser.internal.picture.PicturePrompts;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Torch;
import java.util.Collections;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Tensors that a caller gives in the place of what the pipeline would make. They stay the caller's
 * to close, after the call. Floats of another type than the run's are cast.
 *
 * @param latents noise in diffusers' layout, usually (images, c, h, w), in the place of the seed's;
 *     null for none
 * @param text the text encoder's tensors by name, one row per picture, negative ones with the
 *     prefix {@code negative_}; empty for none. Those of {@link PicturePrompts#tensor} stand for
 *     pictures that are prompts: where only these are given, prompts are still encoded
 * @param seen what pictures of the request are seen as
 */
public record GivenTensors(@Nullable NDArray latents, Map<String, NDArray> text, Seen seen) {
  /** Nothing given. */
  public static final GivenTensors NONE = new GivenTensors(null, Map.of());

  /** The name of {@link Seen#masked}, as diffusers has it. */
  public static final String MASKED = "masked_image_latents";

  /** The name of {@link Seen#embeds}, as diffusers has it, and among the tensors of the text. */
  public static final String EMBEDS = "image_embeds";

  /**
   * What pictures of the request are seen as, beside the pictures: samples and frames are still
   * made of these.
   *
   * @param masked {@code masked_image_latents}: what a transformer that repaints sees beside each
   *     token, (1 or images, tokens, values): latents of what the mask leaves, and then the mask,
   *     in the order of the tokens; null for none
   * @param embeds {@code image_embeds}: states of the encoder of pictures, (pictures, states,
   *     width), the same for all that is drawn; null for none
   */
  public record Seen(@Nullable NDArray masked, @Nullable NDArray embeds) {
    /** Nothing given. */
    public static final Seen NONE = new Seen(null, null);
  }

  /** Nothing given of pictures. */
  public GivenTensors(@Nullable NDArray latents, Map<String, NDArray> text) {
    this(latents, text, Seen.NONE);
  }

  public GivenTensors {
    text = Map.copyOf(text);
  }

  /** {@code input} with empty prompts, as many as there are rows of text, where it has none. */
  public InputConfig complete(InputConfig input) {
    if (!hasTexts() || !input.prompts().isEmpty()) {
      return input;
    }
    long rows = text.values().iterator().next().getShape().get(0); // as all of them
    if (rows == 0 || rows % input.numImagesPerPrompt() != 0) {
      throw new ArgumentException(
          "%d rows of text are not a multiple of %d images per prompt"
              .formatted(rows, input.numImagesPerPrompt()));
    }
    int prompts = Math.toIntExact(rows / input.numImagesPerPrompt());
    return input.toBuilder().prompts(Collections.nCopies(prompts, "")).build();
  }

  /** Whether there are tensors in the place of texts. */
  public boolean hasTexts() {
    return text.keySet().stream().anyMatch(name -> !PicturePrompts.isTensor(name));
  }

  /** Whether there are tensors in the place of pictures that are prompts. */
  public boolean hasPictures() {
    return text.keySet().stream().anyMatch(PicturePrompts::isTensor);
  }

  /**
   * Checks that these fit {@code request}.
   *
   * @throws IllegalArgumentException with both shapes, or the name of what is missing
   */
  public void check(GenerationRequest request) {
    Shape noise = request.latents().shape(request.images());
    if (latents != null && !latents.getShape().equals(noise)) {
      throw new ArgumentException(
          "the latents given have the shape " + latents.getShape() + ", but must have " + noise);
    }
    text.forEach((name, tensor) -> checkText(name, tensor.getShape(), request));
    request.prompts().pictures().require(text.keySet(), request.guided());
    SourcePictures pictures = request.pictures();
    if (latents != null && pictures != null && pictures.drawing()) {
      throw new ArgumentException(
          "no latents can be given beside "
              + InputConfig.MASK_IMAGE
              + " here: what stays of the picture is mixed with noise that is drawn");
    }
    if (seen.masked() != null) {
      if (pictures == null || !pictures.shows()) {
        throw new ArgumentException(
            MASKED + " are for a transformer that sees a masked picture, which this one does not");
      }
      checkMasked(request, seen.masked().getShape());
    }
    if (seen.embeds() != null) {
      int read = pictures == null ? 0 : pictures.read().size();
      if (read == 0) {
        throw new ArgumentException(
            EMBEDS + " are what an encoder makes of pictures, which this request has none for");
      }
      Shape shape = seen.embeds().getShape();
      if (shape.dimension() != 3 || shape.get(0) != read) {
        throw new ArgumentException(
            "%s have the shape %s, but must have (%d, states, width)"
                .formatted(EMBEDS, shape, read));
      }
    }
  }

  private static void checkMasked(GenerationRequest request, Shape shape) {
    LatentShape latents = request.latents();
    long scale = request.size().height() / latents.height();
    long values = (latents.channels() + scale * scale) * latents.patch().size();
    Shape expected = new Shape(request.images(), latents.axes().tokens(), values);
    boolean one = shape.equals(new Shape(1, expected.get(1), values));
    if (!one && !shape.equals(expected)) {
      throw new ArgumentException(
          "%s have the shape %s, but must have %s, or one row for all"
              .formatted(MASKED, shape, expected));
    }
  }

  private void checkText(String name, Shape shape, GenerationRequest request) {
    long rows = shape.dimension() == 0 ? 0 : shape.get(0);
    if (rows != request.images()) {
      throw new ArgumentException(
          "%s has %d rows for %d pictures".formatted(name, rows, request.images()));
    }
    if (PicturePrompts.isTensor(name)) {
      checkPictures(name, shape, request);
      return;
    }
    String negative = InputConfig.NEGATIVE + name;
    if (request.guided() && !name.startsWith(InputConfig.NEGATIVE) && !text.containsKey(negative)) {
      throw new ArgumentException(
          "guidance needs " + negative + " beside " + name + "; it is not given");
    }
  }

  private static void checkPictures(String name, Shape shape, GenerationRequest request) {
    PicturePrompts pictures = request.prompts().pictures();
    if (!pictures.tensors(true).containsKey(name)) {
      throw new ArgumentException(
          "%s is given, but the model is opened with %d %s"
              .formatted(name, pictures.adapters(), ModelConfig.IP_ADAPTER));
    }
    if (shape.dimension() != 3 || shape.get(1) == 0) {
      throw new ArgumentException(
          "%s has the shape %s, but must have rows, pictures or their tokens, and values"
              .formatted(name, shape));
    }
  }

  /** The same with floats of {@code type} in the text; a scheduler has a type for its latents. */
  public GivenTensors cast(NDManager owner, ElementType type) {
    Map<String, NDArray> typed = new HashMap<>();
    text.forEach((name, tensor) -> typed.put(name, cast(owner, tensor, type)));
    NDArray embeds = seen.embeds() == null ? null : cast(owner, seen.embeds(), type);
    return new GivenTensors(latents, typed, new Seen(seen.masked(), embeds));
  }

  /** The same with other text. */
  public GivenTensors withText(Map<String, NDArray> other) {
    return new GivenTensors(latents, other, seen);
  }

  /** The same with what pictures are seen as. */
  public GivenTensors with(Seen other) {
    return new GivenTensors(latents, text, other);
  }

  private static NDArray cast(NDManager owner, NDArray tensor, ElementType type) {
    return switch (ElementType.of(tensor)) {
      case FLOAT64, FLOAT32, FLOAT16, BFLOAT16 -> Torch.cast(owner, tensor, type);
      default -> tensor;
    };
  }
}
