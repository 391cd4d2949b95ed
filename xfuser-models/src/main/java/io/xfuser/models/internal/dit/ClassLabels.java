package io.xfuser.models.internal.dit;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.model.TextEncoder;
import io.xfuser.model.TextRequest;
import io.xfuser.torchscript.Torch;
import java.util.List;
import java.util.Map;

/** In the place of text: the numbers of classes, written as prompts. */
final class ClassLabels implements TextEncoder {
  /** The name of the classes (B) int64. */
  static final String LABELS = "class_labels";

  @Override
  public Map<String, NDArray> encode(NDManager owner, TextRequest request) {
    return request.perPrompt(owner, (scope, texts, all) -> numbers(scope, texts.of(0)));
  }

  private static Map<String, NDArray> numbers(NDManager owner, List<String> prompts) {
    long[] labels = prompts.stream().mapToLong(Long::parseLong).toArray();
    try (NDManager scope = owner.newSubManager()) {
      // in memory of libtorch: it is sent to other ranks
      return Map.of(LABELS, Torch.copy(owner, scope.create(labels)));
    }
  }

  @Override
  public long parameterBytes() {
    return 0;
  }

  @Override
  public void close() {
    // holds nothing
  }
}
