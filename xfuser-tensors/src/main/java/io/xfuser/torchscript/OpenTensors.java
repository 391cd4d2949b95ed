package io.xfuser.torchscript;

import ai.djl.ndarray.BaseNDManager;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.NDResource;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * What a manager and those below it own. {@code getManagedArrays} tells it too, by streams of
 * streams for each tensor, which take several times as long as the sum: too long for each attention
 * of a picture.
 */
final class OpenTensors {
  private static final VarHandle OWNED = find("resources");
  private static final VarHandle LENT = find("tempResources");

  private OpenTensors() {}

  /** The bytes of all tensors' elements, of those with two handles twice. */
  static long bytes(NDManager owner) {
    if (!(owner instanceof BaseNDManager) || !((Map<?, ?>) LENT.get(owner)).isEmpty()) {
      return bytes(owner.getManagedArrays());
    }
    long bytes = 0;
    for (Object one : ((Map<?, ?>) OWNED.get(owner)).values()) {
      if (one instanceof NDArray tensor) {
        bytes += ElementType.bytesOf(tensor);
      } else if (one instanceof NDManager below) {
        bytes += bytes(below);
      } else if (one instanceof NDResource several) {
        bytes += bytes(several.getResourceNDArrays());
      }
    }
    return bytes;
  }

  private static long bytes(List<NDArray> tensors) {
    return tensors.stream().mapToLong(ElementType::bytesOf).sum();
  }

  private static VarHandle find(String field) {
    try {
      return MethodHandles.privateLookupIn(BaseNDManager.class, MethodHandles.lookup())
          .findVarHandle(BaseNDManager.class, field, ConcurrentHashMap.class);
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("another version of DJL than xfuser was built with", e);
    }
  }
}
