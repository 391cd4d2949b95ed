package io.xfuser.internal.runtime;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.config.InputConfig;
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
    return all;
  }

  /**
   * {@code texts} with as many pictures for what is avoided as for what is drawn, so that rows of a
   * batch are alike: each as often as it takes, because what attends a picture twice sees what it
   * sees of one.
   */
  static Map<String, NDArray> matched(NDManager owner, Map<String, NDArray> texts) {
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
