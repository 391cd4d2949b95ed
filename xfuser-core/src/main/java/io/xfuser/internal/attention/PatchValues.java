package io.xfuser.internal.attention;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.nn.TokenLayout.PatchSpan;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Torch;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Some tensors of each patch, of the last time that it was computed; for patches that look at those
 * of the step before alone (DistriFusion on one rank), also of that.
 */
final class PatchValues {
  private final NDManager request;
  private final int patches;
  private final boolean displaced;
  private Map<Integer, Kept> before = new TreeMap<>();
  private Map<Integer, Kept> now = new TreeMap<>();

  /** Nothing yet; {@code request} will own what is kept. */
  PatchValues(NDManager request, int patches, boolean displaced) {
    this.request = request;
    this.patches = patches;
    this.displaced = displaced;
  }

  private record Kept(NDManager owner, List<NDArray> tensors) {}

  /** Copies what {@code patch} has in this step. */
  void put(int patch, List<NDArray> tensors) {
    NDManager owner = request.newSubManager();
    List<NDArray> copies = tensors.stream().map(x -> Torch.copy(owner, x)).toList();
    Kept old = now.put(patch, new Kept(owner, copies));
    if (old != null) {
      old.owner().close();
    }
  }

  /** Whether {@code patch} was ever computed. */
  boolean has(int patch) {
    return now.containsKey(patch) || before.containsKey(patch);
  }

  /** What those that compute {@code span} see of {@code patch}. */
  List<NDArray> of(int patch, PatchSpan span) {
    boolean own = patch >= span.from() && patch < span.to();
    Kept kept = displaced && !own ? before.get(patch) : now.get(patch);
    if (kept == null) {
      throw new IllegalStateException("nothing is known of patch " + patch);
    }
    return kept.tensors();
  }

  /** After {@code span} was computed: if it is the last of its step, the next one begins. */
  void computed(PatchSpan span) {
    if (displaced && span.to() == patches) {
      before.values().forEach(kept -> kept.owner().close());
      before = now;
      now = new TreeMap<>();
    }
  }

  long bytes() {
    return bytes(before) + bytes(now);
  }

  private static long bytes(Map<Integer, Kept> all) {
    return all.values().stream()
        .flatMap(kept -> kept.tensors().stream())
        .mapToLong(ElementType::bytesOf)
        .sum();
  }
}
