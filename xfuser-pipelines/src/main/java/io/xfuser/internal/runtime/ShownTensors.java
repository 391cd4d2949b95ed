package io.xfuser.internal.runtime;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.config.InputConfig;
import io.xfuser.failure.ArgumentException;
import io.xfuser.internal.picture.Bitmap;
import io.xfuser.internal.picture.PicturePrompts;
import io.xfuser.model.GenerationRequest;
import io.xfuser.model.GivenTensors;
import io.xfuser.torchscript.Torch;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** What pictures that are prompts are seen as, among the text tensors of a request. */
final class ShownTensors {
  private ShownTensors() {}

  /** The tensors that {@code request} needs and that are not given, with their pictures. */
  static Map<String, List<Bitmap>> missing(GenerationRequest request, GivenTensors given) {
    PicturePrompts pictures = request.prompts().pictures();
    if (!pictures.given() && !given.hasPictures()) {
      return Map.of();
    }
    Map<String, List<Bitmap>> all = pictures.tensors(request.guided());
    all.keySet().removeAll(given.text().keySet());
    if (pictures.zeros()) {
      all.values().removeIf(List::isEmpty); // made of the others
    }
    return all;
  }

  /**
   * {@code texts} with as many pictures for what is avoided as for what is drawn, so that rows of a
   * batch are alike.
   *
   * @throws ArgumentException with both shapes, if they differ and cannot be made alike
   */
  static Map<String, NDArray> matched(
      NDManager owner, GenerationRequest request, Map<String, NDArray> texts) {
    if (!request.prompts().pictures().zeros()) {
      return repeated(owner, texts);
    }
    Map<String, NDArray> all = new HashMap<>(texts);
    if (request.guided()) {
      for (int i = 0; i < request.prompts().pictures().adapters(); i++) {
        fill(owner, all, PicturePrompts.tensor(i));
      }
    }
    return all;
  }

  /** Zeros for what is not given of {@code name} and its negative, if one is. */
  private static void fill(NDManager owner, Map<String, NDArray> all, String name) {
    String avoided = InputConfig.NEGATIVE + name;
    NDArray positive = all.get(name);
    NDArray negative = all.get(avoided);
    if (positive == null && negative != null) {
      all.put(name, Torch.zerosLike(owner, negative));
    } else if (positive != null && negative == null) {
      all.put(avoided, Torch.zerosLike(owner, positive));
    } else if (positive != null
        && negative != null
        && !positive.getShape().equals(negative.getShape())) {
      throw new ArgumentException(
          "%s has the shape %s, but %s has %s: they must be alike"
              .formatted(avoided, negative.getShape(), name, positive.getShape()));
    }
  }

  /** Each as often as it takes, because what attends a picture twice sees what it sees of one. */
  private static Map<String, NDArray> repeated(NDManager owner, Map<String, NDArray> texts) {
    Map<String, NDArray> all = new HashMap<>(texts);
    texts.forEach(
        (name, positive) -> {
          NDArray negative = texts.get(InputConfig.NEGATIVE + name);
          if (negative != null && PicturePrompts.isTensor(name)) {
            long some = positive.getShape().get(1);
            long others = negative.getShape().get(1);
            all.put(name, repeated(owner, positive, others / divisor(some, others)));
            all.put(
                InputConfig.NEGATIVE + name,
                repeated(owner, negative, some / divisor(some, others)));
          }
        });
    return all;
  }

  /**
   * What prompts alone are conditioned on, where guidance leads away from fewer layers: beside
   * their own tensors, of {@code both}, those of pictures that are avoided. Diffusers' pipelines
   * hand the transformer the pictures of both there.
   */
  static Map<String, NDArray> ofPrompts(NDManager owner, Map<String, NDArray> both) {
    Map<String, NDArray> all = new HashMap<>(new Guidance.None().texts(owner, both));
    both.forEach(
        (name, tensor) -> {
          if (name.startsWith(InputConfig.NEGATIVE) && PicturePrompts.isTensor(name)) {
            all.put(name, tensor);
          }
        });
    return all;
  }

  private static long divisor(long a, long b) {
    return b == 0 ? a : divisor(b, a % b);
  }

  private static NDArray repeated(NDManager owner, NDArray tensor, long times) {
    return times == 1
        ? tensor
        : Torch.concat(owner, Collections.nCopies(Math.toIntExact(times), tensor), 1);
  }
}
