package io.xfuser.models.internal.lora;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.models.internal.weights.Cut;
import io.xfuser.models.internal.weights.ForwardingWeights;
import io.xfuser.models.internal.weights.InFile;
import io.xfuser.models.internal.weights.Weights;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Torch;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Weights with LoRAs: W + s·B·A, of a part of W only that part of B or A. The sum is made in fp32
 * and rounded once to the type of W; nothing of it is kept here, and what no LoRA changes is handed
 * out as it is.
 */
final class LoraWeights extends ForwardingWeights {
  private final Map<String, List<LoraChange>> changes;
  private final Device device;

  /**
   * Changes what {@code weights} have.
   *
   * @param changes by the tensor's name, in the order in which they are added
   * @param device where the weights are
   */
  LoraWeights(Weights weights, Map<String, List<LoraChange>> changes, Device device) {
    super(weights);
    this.changes = changes;
    this.device = device;
  }

  @Override
  public NDArray get(NDManager owner, String name, long... shape) {
    List<LoraChange> all = changes.get(name);
    if (all == null) {
      return super.get(owner, name, shape);
    }
    try (NDManager scope = owner.newSubManager()) {
      return Torch.alias(owner, changed(scope, all, super.get(scope, name, shape), null));
    }
  }

  @Override
  public NDArray get(NDManager owner, Cut cut, String name, long... shape) {
    List<LoraChange> all = changes.get(name);
    if (all == null) {
      return super.get(owner, cut, name, shape);
    }
    try (NDManager scope = owner.newSubManager()) {
      if (all.stream().allMatch(LoraChange::divisible)) {
        NDArray part = super.get(scope, cut, name, shape);
        return Torch.contiguous(owner, changed(scope, all, part, cut));
      }
      NDArray whole = changed(scope, all, super.get(scope, name, shape), null);
      NDArray part = Torch.slice(scope, whole, cut.dim(), cut.from(), cut.to());
      return Torch.copy(owner, part); // and not a view, which would keep the whole
    }
  }

  @Override
  public Optional<InFile> inFile(NDManager owner, Cut cut, String name, long... shape) {
    return changes.containsKey(name) ? Optional.empty() : weights.inFile(owner, cut, name, shape);
  }

  private NDArray changed(
      NDManager scope, List<LoraChange> all, NDArray tensor, @Nullable Cut cut) {
    NDArray sum = Torch.cast(scope, tensor, ElementType.FLOAT32);
    for (LoraChange change : all) {
      sum = change.added(scope, change.file().on(device), sum, cut);
    }
    return Torch.cast(scope, sum, ElementType.of(tensor));
  }
}
