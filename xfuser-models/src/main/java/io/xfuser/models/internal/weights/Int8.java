package io.xfuser.models.internal.weights;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import io.xfuser.failure.MemoryException;
import io.xfuser.internal.failure.Retried;
import io.xfuser.internal.natives.TorchWarnings;
import io.xfuser.torchscript.Program;
import io.xfuser.torchscript.Torch;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Reads weights of linear layers as whole numbers of 8 bits, with a scale for each output (docs/adr
 * 0035). Only some rows are there in a wider type at a time.
 *
 * @param packs whether FBGEMM multiplies them, in 8 bits; if not, they are widened as they are used
 * @param promises whether weights have no memory, and what is made of them has none
 */
public record Int8(boolean packs, boolean promises) {
  private static final Program PROGRAM = Program.load(Int8.class, "int8.py");
  private static final Retried<Int8> HERE = new Retried<>(() -> new Int8(isExactHere(), false));
  private static final long AT_ONCE = 1 << 21; // elements: 8 MiB of fp32

  /** As this machine's CPU computes best. */
  public static Int8 ofThisMachine() {
    return HERE.get();
  }

  /** The same for weights that have no memory. */
  Int8 promised() {
    return new Int8(packs, true);
  }

  private static boolean isExactHere() {
    try {
      // which calls its kernels deprecated, once
      return TorchWarnings.without(() -> PROGRAM.callLong("trial") != 0);
    } catch (IllegalStateException | MemoryException e) {
      return false;
    }
  }

  /** The weights of {@code matrix} as {@code products.py} takes them. */
  ReadLayer read(NDManager owner, Weights weights, Matrix matrix) {
    if (promises) {
      return promised(owner, weights, matrix);
    }
    boolean packed = packs && matrix.tokens();
    try (NDManager scope = owner.newSubManager()) {
      List<NDArray> rows = new ArrayList<>();
      List<NDArray> scales = new ArrayList<>();
      for (String layer : matrix.layers().layers()) {
        for (Cut block : matrix.blocks(AT_ONCE)) {
          try (NDManager wide = scope.newSubManager()) {
            NDArray part = weights.get(wide, block, layer + ".weight", matrix.out(), matrix.in());
            Cut own = matrix.columns();
            NDList made = PROGRAM.callList(scope, "rows", part, own.from(), own.to(), packed);
            rows.add(made.get(0));
            scales.add(made.get(1));
          }
        }
      }
      NDArray scale = Torch.concat(owner, scales, 0);
      NDArray whole = Torch.concat(scope, rows, 0);
      if (!packed || whole.size() == 0) {
        return plain(Torch.alias(owner, whole), scale);
      }
      return packed(PROGRAM.callList(owner, "pack", whole), scale, whole.size());
    }
  }

  private ReadLayer promised(NDManager owner, Weights weights, Matrix matrix) {
    try (NDManager scope = owner.newSubManager()) {
      List<NDArray> parts = new ArrayList<>();
      for (String layer : matrix.layers().layers()) {
        for (Cut own : matrix.own()) {
          parts.add(weights.get(scope, own, layer + ".weight", matrix.out(), matrix.in()));
        }
      }
      NDArray whole = Torch.concat(scope, parts, 0);
      boolean packed = packs && matrix.tokens() && whole.size() > 0;
      NDList made = PROGRAM.callList(owner, "promised", whole, packed);
      return packed ? packed(made, made.get(2), whole.size()) : plain(made.get(0), made.get(1));
    }
  }

  private static ReadLayer plain(NDArray rows, NDArray scale) {
    return new ReadLayer(Map.of(".weight", rows, ".weight_scale", scale), 0);
  }

  private static ReadLayer packed(NDList pack, NDArray scale, long bytes) {
    Map<String, NDArray> entries =
        Map.of(".weight_packed", pack.get(0), ".weight_sums", pack.get(1), ".weight_scale", scale);
    return new ReadLayer(entries, bytes);
  }
}
