package io.xfuser.model;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.xfuser.config.InputConfig;
import io.xfuser.failure.ArgumentException;
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
 *     prefix {@code negative_}; empty for none
 */
public record GivenTensors(@Nullable NDArray latents, Map<String, NDArray> text) {
  /** Nothing given. */
  public static final GivenTensors NONE = new GivenTensors(null, Map.of());

  /** Copies the map. */
  public GivenTensors {
    text = Map.copyOf(text);
  }

  /** {@code input} with empty prompts, as many as there are rows of text, where it has none. */
  public InputConfig complete(InputConfig input) {
    if (text.isEmpty() || !input.prompts().isEmpty()) {
      return input;
    }
    long rows = text.values().iterator().next().getShape().get(0);
    if (rows == 0 || rows % input.numImagesPerPrompt() != 0) {
      throw new ArgumentException(
          "%d rows of text are not a multiple of %d images per prompt"
              .formatted(rows, input.numImagesPerPrompt()));
    }
    int prompts = Math.toIntExact(rows / input.numImagesPerPrompt());
    return input.toBuilder().prompts(Collections.nCopies(prompts, "")).build();
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
    text.forEach(
        (name, tensor) -> {
          long rows = tensor.getShape().dimension() == 0 ? 0 : tensor.getShape().get(0);
          if (rows != request.images()) {
            throw new ArgumentException(
                "%s has %d rows for %d pictures".formatted(name, rows, request.images()));
          }
          String negative = TextRequest.NEGATIVE + name;
          if (request.guided()
              && !name.startsWith(TextRequest.NEGATIVE)
              && !text.containsKey(negative)) {
            throw new ArgumentException(
                "guidance needs " + negative + " beside " + name + "; it is not given");
          }
        });
  }

  /** The same with floats of {@code type} in the text; a scheduler has a type for its latents. */
  public GivenTensors cast(NDManager owner, ElementType type) {
    Map<String, NDArray> typed = new HashMap<>();
    text.forEach((name, tensor) -> typed.put(name, cast(owner, tensor, type)));
    return new GivenTensors(latents, typed);
  }

  private static NDArray cast(NDManager owner, NDArray tensor, ElementType type) {
    return switch (ElementType.of(tensor)) {
      case FLOAT64, FLOAT32, FLOAT16, BFLOAT16 -> Torch.cast(owner, tensor, type);
      default -> tensor;
    };
  }
}
